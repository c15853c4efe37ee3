import type { Source } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signaling } from '../socket.ts';
import type { VideoCodec } from './codec.ts';
import type { Transforms } from '../transforms.ts';
import { Publishing } from './publishing.ts';
import type { Transports } from './transports.ts';

interface FakeProducer {
  readonly id: string;
  readonly source: Source;
  readonly codec: string;
  paused: boolean;
  closed: boolean;
  /** Which layers are encoded, lowest first. */
  readonly active: () => boolean[];
}

const track = (kind: 'audio' | 'video', width = 640) => {
  const getSettings = () => ({ width, height: (width * 9) / 16 });
  return { kind, enabled: true, contentHint: '', getSettings } as MediaStreamTrack;
};

/** As a browser's: parameters are copies until they are set. */
function fakeSender(encodings: { active?: boolean }[] = []) {
  let set = encodings.map((encoding, index) => ({ ...encoding, rid: `r${index}` }));
  return {
    getParameters: () => ({ encodings: set.map((encoding) => ({ ...encoding })) }),
    setParameters: async (parameters: { encodings: typeof set }) => void (set = parameters.encodings),
    active: () => set.map(({ active }) => active !== false),
    sound: () => set[0],
  };
}

/** A server that answers after a while, and a browser that takes its time to negotiate. */
function world(mimeTypes: readonly string[] = ['audio/opus', 'video/VP8'], codec: VideoCodec = 'vp8') {
  const clock = virtualClock();
  const producers: FakeProducer[] = [];
  const asked: string[] = [];
  const sealed: Source[] = [];
  const soon = () => new Promise<void>((resolve) => clock.after(20, resolve));
  const send = {
    async produce(options: {
      track: MediaStreamTrack;
      codec: { mimeType: string };
      appData: { source: Source; asked: (answer: Promise<string>) => void };
      encodings?: { active?: boolean }[];
      onRtpSender: (sender: unknown) => void;
    }) {
      options.onRtpSender({});
      expect(sealed.at(-1)).toBe(options.appData.source);
      await soon();
      const rtpSender = fakeSender(options.encodings ?? [{}]);
      const producer: FakeProducer & Record<string, unknown> = {
        rtpSender,
        active: rtpSender.active,
        sound: rtpSender.sound,
        id: `p${producers.length}`,
        source: options.appData.source,
        codec: options.codec.mimeType,
        paused: !options.track.enabled,
        closed: false,
        pause: () => (producer.paused = true),
        resume: () => (producer.paused = false),
        close: () => (producer.closed = true),
        replaceTrack: soon,
      };
      producers.push(producer);
      options.appData.asked(soon().then(() => producer.id));
      return producer;
    },
  };
  const codecs = mimeTypes.map((mimeType) => ({ mimeType }));
  const transports = { send, device: { sendRtpCapabilities: { codecs } } } as unknown as Transports;
  const transforms = { seal: (_: unknown, source: Source) => sealed.push(source) } as unknown as Transforms;
  const request = async (name: string) => {
    asked.push(name);
    await soon();
    return {};
  };
  const publishing = new Publishing(transports, transforms, { request } as unknown as Signaling, {
    codec,
    spatialLayers: () => true,
  });
  return { clock, publishing, producers, asked };
}

const ceilingOf = (layersMax: number | null | undefined) =>
  layersMax === undefined
    ? undefined
    : ({ layersMax, framesPerSecond: undefined, soundBps: 16_000, packetMs: 60 } as const);

const step = fc.record({
  what: fc.constantFrom('publish', 'unpublish', 'mute', 'unmute', 'replace', 'wait'),
  source: fc.constantFrom<Source>('microphone', 'camera'),
});

describe('publishing', () => {
  it('encodes the layers that the size has, somebody watches and the network carries, whatever comes when', async () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ watched: fc.constantFrom(null, 0, 1, 2, 7) }),
        fc.record({ width: fc.constantFrom(320, 640, 1280) }),
        fc.record({ wait: fc.nat(30) }),
        fc.record({ layersMax: fc.constantFrom(null, 0, 1, 7, undefined) }),
      ),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { clock, publishing, producers } = world();
        void publishing.publish('camera', track('video', 1280), false);
        await clock.advance(100);
        let [width, watched]: [number, number | null] = [1280, 7];
        let carried: number | null = 7;
        for (const one of all) {
          if ('layersMax' in one) carried = one.layersMax === undefined ? 7 : one.layersMax;
          if ('wait' in one) await clock.advance(one.wait);
          else if ('layersMax' in one) void publishing.limit(ceilingOf(one.layersMax));
          else if ('watched' in one) void publishing.watched('p0', (watched = one.watched));
          else void publishing.replaceTrack('camera', track('video', (width = one.width)));
        }
        await clock.advance(5_000);
        const layers = { 320: 1, 640: 2, 1280: 3 }[width]!;
        const highest = Math.min(layers - 1, watched ?? -1, carried ?? -1);
        expect(producers[0]?.active()).toEqual([0, 1, 2].map((layer) => layer <= highest));
      }),
      { numRuns: 50 },
    );
  });

  it('sends one stream whole while somebody watches, and not at all while nobody does', async () => {
    const { clock, publishing, producers } = world(['audio/opus', 'video/VP9'], 'vp9');
    void publishing.publish('camera', track('video', 1280), false);
    await clock.advance(100);
    const told = async (spatial: number | null) => {
      await publishing.watched('p0', spatial);
      await publishing.watched('somebody else', null);
      return producers[0]?.active();
    };
    expect([await told(0), await told(null), await told(2)]).toEqual([[true], [false], [true]]);
  });

  it('keeps the voice under what the network carries, also one that is published later, and lets it go again', async () => {
    const { clock, publishing, producers } = world();
    const said = () => (producers[0] as unknown as { sound: () => unknown }).sound();
    await publishing.limit(ceilingOf(null));
    void publishing.publish('microphone', track('audio'), false);
    await clock.advance(100);
    expect(said()).toMatchObject({ maxBitrate: 16_000, adaptivePtime: true });
    await publishing.limit(undefined);
    expect(said()).toMatchObject({ maxBitrate: 40_000, adaptivePtime: false });
  });

  it('ends with one Producer for each source that is wanted, muted as wanted, whatever overlaps', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const { clock, publishing, producers } = world();
        const wanted = new Map<Source, boolean>();
        for (const { what, source } of steps) {
          const one = track(source === 'camera' ? 'video' : 'audio');
          if (what === 'wait') await clock.advance(10);
          else if (what === 'publish') {
            wanted.set(source, wanted.get(source) ?? false);
            void publishing.publish(source, one, false);
          } else if (what === 'unpublish') {
            wanted.delete(source);
            void publishing.unpublish(source);
          } else if (what === 'replace') void publishing.replaceTrack(source, one);
          else {
            if (wanted.has(source)) wanted.set(source, what === 'mute');
            void publishing.setMuted(source, what === 'mute');
          }
        }
        await clock.advance(5_000);
        const alive = producers.filter(({ closed }) => !closed);
        expect(new Map(alive.map(({ source, paused }) => [source, paused]))).toEqual(wanted);
        expect(alive).toHaveLength(wanted.size);
      }),
      { numRuns: 100 },
    );
  });

  it('lets nothing of a muted track out before it is unmuted', async () => {
    const { clock, publishing, producers } = world();
    const camera = track('video');
    void publishing.publish('camera', camera, true);
    await clock.advance(100);
    expect(camera.enabled).toBe(false);
    expect(producers[0]?.paused).toBe(true);
  });

  it('goes on after a step that failed', async () => {
    const { clock, publishing, producers } = world();
    const failing = publishing.publish('screen', { kind: 'text' } as unknown as MediaStreamTrack, false);
    await expect(failing).rejects.toThrow();
    void publishing.publish('screen', track('video'), false);
    await clock.advance(100);
    expect(producers).toHaveLength(1);
  });
});

const open = async (codecs: readonly string[], preferred: 'vp8' | 'av1' = 'av1') => {
  const made = world(codecs, preferred);
  void made.publishing.publish('camera', track('video'), false);
  await made.clock.advance(100);
  return made;
};

describe('the codec of a picture', () => {
  it('is the preferred one where this browser sends it, else one that it does', async () => {
    const all = ['video/VP8', 'video/H264', 'video/AV1'];
    expect((await open(all)).producers[0]?.codec).toBe('video/AV1');
    expect((await open(['video/VP8', 'video/H264'])).producers[0]?.codec).toBe('video/VP8');
    expect((await open(['video/H264'], 'vp8')).producers[0]?.codec).toBe('video/H264');
  });

  it('changes when somebody cannot decode it, muted as it was, and is not gone back to', async () => {
    const { clock, publishing, producers, asked } = await open(['video/VP8', 'video/AV1']);
    void publishing.setMuted('camera', true);
    await clock.advance(100);
    const done = Promise.all([publishing.undecodable('p0'), publishing.undecodable('p0')]);
    await clock.advance(1_000);
    await done;
    expect(producers.map(({ codec, closed, paused }) => [codec, closed, paused])).toEqual([
      ['video/AV1', true, true],
      ['video/VP8', false, true],
    ]);
    expect(asked.filter((name) => name === 'closeProducer')).toHaveLength(1);
    void publishing.publish('screen', track('video'), false);
    await clock.advance(100);
    expect(producers[2]?.codec).toBe('video/VP8');
  });

  it('stays, and it is said, when there is no other or it is sound', async () => {
    const { clock, publishing, producers } = await open(['audio/opus', 'video/VP8'], 'vp8');
    void publishing.publish('microphone', track('audio'), false);
    await clock.advance(100);
    for (const id of ['p0', 'p1'])
      await expect(publishing.undecodable(id)).rejects.toMatchObject({ code: 'CANNOT_CONSUME' });
    await expect(publishing.undecodable('p9')).resolves.toBeUndefined();
    expect(producers.every(({ closed }) => !closed)).toBe(true);
    // Those who can decode it are not to go without what comes later.
    void publishing.publish('screen', track('video'), false);
    await clock.advance(100);
    expect(producers[2]?.codec).toBe('video/VP8');
  });

  it('is laid out anew for another camera by rid, in whatever order the browser keeps them', async () => {
    const { clock, publishing, producers } = await open(['video/VP8'], 'vp8');
    const encodings = [{ rid: 'r2' }, { rid: 'r1' }, { rid: 'r0' }] as {
      rid: string;
      scaleResolutionDownBy?: number;
    }[];
    Object.assign(producers[0] ?? {}, {
      rtpSender: { getParameters: () => ({ encodings }), setParameters: async () => undefined },
    });
    void publishing.replaceTrack('camera', track('video'));
    await clock.advance(100);
    expect(encodings.map((each) => each.scaleResolutionDownBy)).toEqual([1, 1, 2]);
  });
});
