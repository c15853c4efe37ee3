import type { Source } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signaling } from '../socket.ts';
import type { Transforms } from '../transforms.ts';
import { Publishing } from './publishing.ts';
import type { Transports } from './transports.ts';

interface FakeProducer {
  readonly id: string;
  readonly source: Source;
  paused: boolean;
  closed: boolean;
}

const track = (kind: 'audio' | 'video') =>
  ({ kind, enabled: true, contentHint: '', getSettings: () => ({ width: 640, height: 360 }) }) as MediaStreamTrack;

/** A server that answers after a while, and a browser that takes its time to negotiate. */
function world() {
  const clock = virtualClock();
  const producers: FakeProducer[] = [];
  const asked: string[] = [];
  const sealed: Source[] = [];
  const soon = () => new Promise<void>((resolve) => clock.after(20, resolve));
  const send = {
    async produce(options: {
      track: MediaStreamTrack;
      appData: { source: Source };
      onRtpSender: (sender: unknown) => void;
    }) {
      options.onRtpSender({});
      expect(sealed.at(-1)).toBe(options.appData.source);
      await soon();
      const producer: FakeProducer & Record<string, unknown> = {
        id: `p${producers.length}`,
        source: options.appData.source,
        paused: !options.track.enabled,
        closed: false,
        pause: () => (producer.paused = true),
        resume: () => (producer.paused = false),
        close: () => (producer.closed = true),
        replaceTrack: soon,
      };
      producers.push(producer);
      return producer;
    },
  };
  const codecs = [{ mimeType: 'audio/opus' }, { mimeType: 'video/VP8' }];
  const transports = { send, device: { sendRtpCapabilities: { codecs } } } as unknown as Transports;
  const transforms = { seal: (_: unknown, source: Source) => sealed.push(source) } as unknown as Transforms;
  const request = async (name: string) => {
    asked.push(name);
    await soon();
    return {};
  };
  const publishing = new Publishing(transports, transforms, { request } as unknown as Signaling);
  return { clock, publishing, producers, asked };
}

const step = fc.record({
  what: fc.constantFrom('publish', 'unpublish', 'mute', 'unmute', 'replace', 'wait'),
  source: fc.constantFrom<Source>('microphone', 'camera'),
});

describe('publishing', () => {
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
