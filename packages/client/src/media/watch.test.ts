import type { ConsumerId, PeerId, ProducerId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { describe, expect, it } from 'vitest';
import { MediaWatch, type Watched } from './watch.ts';

/** A receiving transport with one video whose frames the test makes. */
function open() {
  const clock = virtualClock();
  const looks: number[] = [];
  const states: string[] = [];
  const levels: number[] = [];
  const world = { frames: 0, present: true, muted: false, firstFrames: 0, audioLevel: 0.5 };
  const one = (source: 'camera' | 'microphone'): Watched => ({
    consumerId: `c-${source}` as ConsumerId,
    producerId: `p-${source}` as ProducerId,
    peerId: 'bob' as PeerId,
    source,
    path: [],
    track: { id: source, kind: source === 'camera' ? 'video' : 'audio' } as MediaStreamTrack,
    receiver: { getSynchronizationSources: () => [{ audioLevel: world.audioLevel }] } as unknown as RTCRtpReceiver,
    muted: world.muted,
    shown: true,
  });
  const watch = new MediaWatch({
    clock,
    watched: () => (world.present ? [one('camera'), one('microphone')] : []),
    stats: () => {
      looks.push(clock.now());
      const entry = { id: 'i', type: 'inbound-rtp', trackIdentifier: 'camera', framesDecoded: world.frames };
      return Promise.resolve([new Map([['i', entry]])]);
    },
    level: (_, level) => levels.push(level),
    state: (_, __, state) => states.push(state),
    firstFrame: () => (world.firstFrames += 1),
  });
  return { clock, watch, world, looks, states, levels };
}

describe('watching what is received', () => {
  it('looks calmly, often when the first video is expected, and calmly again', async () => {
    const { clock, watch, world, looks } = open();
    await clock.advance(2_000);
    expect(looks.length).toBeLessThanOrEqual(4);
    watch.lookOften();
    await clock.advance(500);
    expect(looks.length).toBeGreaterThanOrEqual(10);
    world.frames = 1;
    await clock.advance(50);
    expect(world.firstFrames).toBe(1);
    const before = looks.length;
    await clock.advance(2_000);
    expect(looks.length - before).toBeLessThanOrEqual(4);
    watch.lookOften();
    world.frames = 2;
    await clock.advance(2_000);
    expect(world.firstFrames).toBe(1);
  });

  it('does not look often for ever at somebody who sends nothing', async () => {
    const { clock, watch, looks } = open();
    watch.lookOften();
    await clock.advance(60_000);
    expect(looks.length).toBeLessThan(250);
  });

  it('tells the state of videos and the level of microphones, none of a muted one', async () => {
    const { clock, world, states, levels } = open();
    world.frames = 5;
    await clock.advance(600);
    expect(states.at(-1)).toBe('live');
    expect(levels.at(-1)).toBe(0.5);
    await clock.advance(3_000);
    expect(states.at(-1)).toBe('frozen');
    world.muted = true;
    await clock.advance(600);
    expect(states.at(-1)).toBe('muted');
    expect(levels.at(-1)).toBe(0);
  });

  it('asks nobody how loud it is while a first picture is expected, and not for ever', async () => {
    const [shown, never] = [open(), open()];
    for (const { clock, watch, world, levels } of [shown, never]) {
      watch.lookOften();
      await clock.advance(1_000);
      expect(levels).toEqual([]);
      world.frames = world === shown.world ? 1 : 0;
      await clock.advance(1_000);
    }
    expect(shown.levels.length).toBeGreaterThan(3);
    expect(never.levels).toEqual([]);
    await never.clock.advance(5_000);
    expect(never.levels.length).toBeGreaterThan(3);
  });

  it('stops', async () => {
    const { clock, watch, looks } = open();
    watch.lookOften();
    await clock.advance(100);
    watch.close();
    watch.lookOften();
    const before = looks.length;
    await clock.advance(5_000);
    expect(looks).toHaveLength(before);
    expect(clock.pending()).toBe(0);
  });
});
