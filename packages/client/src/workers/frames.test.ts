/** Sealing and opening as the frame worker does it, with plain objects for frames and a clock that the test moves. */
import { virtualClock, type VirtualClock } from '@veilcast/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { streamsOf } from '../media/streams.ts';
import { FrameKeys } from './frame-keys.ts';
import type { FrameCounts, KeyMessage, TrackLock } from './messages.ts';
import { Opening, PATIENCE_MS, PATIENCE_PAUSE_MS } from './opening.ts';
import type { EncodedFrame } from './scope.ts';
import { Sealing } from './sealing.ts';
import { FrameTally, TELL_INTERVAL_MS } from './tally.ts';

let clock: VirtualClock;

beforeEach(() => {
  clock = virtualClock();
});

function epoch(epoch: number, selfLeaf: number, secret = epoch): KeyMessage {
  const members = [
    { peerId: 'ada', leaf: 0 },
    { peerId: 'bob', leaf: 1 },
  ];
  const baseKey = new Uint8Array(64).fill(secret);
  return { kind: 'epoch', epoch, baseKey, selfLeaf, members, switchAfterMs: 0, newGroup: false, newcomers: false };
}

function frame(type: 'key' | 'delta' = 'delta', ssrc = 1): EncodedFrame {
  const data = new Uint8Array(40).fill(5).buffer;
  return { data, type, getMetadata: () => ({ synchronizationSource: ssrc, mimeType: 'video/VP8' }) };
}

function end() {
  const keys = new FrameKeys(clock);
  const counts: FrameCounts[] = [];
  const tally = new FrameTally(clock, (told) => counts.push(told));
  return { keys, tally, counts, now: () => clock.now(), codec: 'vp8' as const };
}

function sender() {
  const wishes: number[] = [];
  const base = end();
  const sealing = new Sealing({ ...base, source: 'camera', wantKeyFrame: () => wishes.push(clock.now()) });
  return { ...base, sealing, wishes };
}

function receiver(source: 'camera' | 'screen' = 'camera') {
  const wishes: number[] = [];
  const base = end();
  const options = { ...base, peer: 'ada', streams: streamsOf(source) };
  const locks: TrackLock[] = [];
  const lock = (told: TrackLock): void => void locks.push(told);
  const opening = new Opening({ ...options, wantKeyFrame: () => wishes.push(clock.now()), lock });
  return { ...base, opening, wishes, locks };
}

async function sealed(from: ReturnType<typeof sender>, one = frame()): Promise<EncodedFrame> {
  expect(await from.sealing.take(one)).toBe(true);
  return one;
}

/** Lets virtual time pass while real work of WebCrypto goes on. */
async function resolved<T>(work: Promise<T>): Promise<T> {
  const state = { done: false };
  void work.finally(() => (state.done = true)).catch(() => undefined);
  for (let round = 0; round < 400 && !state.done; round++) {
    await new Promise((resume) => setTimeout(resume, 1));
    await clock.advance(5);
  }
  return await work;
}

describe('sealing', () => {
  it('lets nothing through before a key, after it was taken away, or while the group is lost', async () => {
    const ada = sender();
    expect(await ada.sealing.take(frame('key'))).toBe(false);
    await ada.keys.take(epoch(1, 0));
    expect(await ada.sealing.take(frame('key'))).toBe(true);
    await ada.keys.take({ kind: 'stopSealing' });
    expect(await ada.sealing.take(frame('key'))).toBe(false);
    await ada.keys.take(epoch(2, 0));
    expect(await ada.sealing.take(frame('key'))).toBe(true);
    await ada.keys.take({ kind: 'forget' });
    expect(await ada.sealing.take(frame('key'))).toBe(false);
  });

  it('changes all bytes but the clear ones, and never the same way twice', async () => {
    const ada = sender();
    await ada.keys.take(epoch(1, 0));
    const [one, two] = [await sealed(ada), await sealed(ada)];
    expect(new Uint8Array(one.data)[0]).toBe(5);
    expect([...new Uint8Array(one.data).slice(1, 40)]).not.toEqual([...new Uint8Array(two.data).slice(1, 40)]);
    expect([...new Uint8Array(one.data).slice(1, 40)].filter((byte) => byte === 5).length).toBeLessThan(10);
  });

  it('asks its encoder for a key frame when deltas follow on dropped frames, not too often', async () => {
    const ada = sender();
    await ada.sealing.take(frame('key'));
    await ada.keys.take(epoch(1, 0));
    for (let count = 0; count < 20; count++) {
      await ada.sealing.take(frame('delta'));
      await clock.advance(33);
    }
    expect(ada.wishes).toHaveLength(2);
    await ada.sealing.take(frame('key'));
    await clock.advance(1_000);
    await ada.sealing.take(frame('delta'));
    expect(ada.wishes).toHaveLength(2);
  });

  it('begins with a key frame for who came, in the Epoch that they came with and not before', async () => {
    const ada = sender();
    await ada.keys.take(epoch(1, 0));
    await ada.sealing.take(frame('key'));
    // New keys for the same people are no reason.
    await ada.keys.take(epoch(2, 0));
    await ada.sealing.take(frame('delta'));
    await ada.keys.take({ ...epoch(3, 0), switchAfterMs: 50, newcomers: true } as KeyMessage);
    await ada.sealing.take(frame('delta'));
    expect(ada.wishes).toEqual([]);
    await clock.advance(50);
    await ada.sealing.take(frame('delta'));
    expect(ada.wishes).toHaveLength(1);
    await ada.sealing.take(frame('key'));
    await clock.advance(1_000);
    await ada.sealing.take(frame('delta'));
    expect(ada.wishes).toHaveLength(1);
  });

  it('makes that key frame of every layer, also when Epochs are passed over', async () => {
    const ada = sender();
    await ada.keys.take(epoch(1, 0));
    for (const ssrc of [1, 2]) await ada.sealing.take(frame('key', ssrc));
    await ada.keys.take({ ...epoch(2, 0), newcomers: true } as KeyMessage);
    await ada.keys.take(epoch(3, 0));
    await ada.sealing.take(frame('key', 1));
    expect(ada.wishes).toEqual([]);
    await ada.sealing.take(frame('delta', 2));
    expect(ada.wishes).toHaveLength(1);
  });

  it('starts over with a group that was made anew', async () => {
    const [ada, bob] = [sender(), receiver()];
    for (const [keys, leaf] of [[ada.keys, 0] as const, [bob.keys, 1] as const]) {
      await keys.take(epoch(7, leaf));
      await keys.take({ ...epoch(0, leaf, 9), newGroup: true } as KeyMessage);
    }
    expect(await bob.opening.take(await sealed(ada))).toBe(true);
  });

  it('zeroes the base key that it was given', async () => {
    const ada = sender();
    const message = epoch(1, 0) as KeyMessage & { kind: 'epoch' };
    await ada.keys.take(message);
    expect(message.baseKey.every((byte) => byte === 0)).toBe(true);
  });
});

describe('opening', () => {
  it('gives back what was sealed', async () => {
    const [ada, bob] = [sender(), receiver()];
    await ada.keys.take(epoch(1, 0));
    await bob.keys.take(epoch(1, 1));
    const one = await sealed(ada);
    expect(await bob.opening.take(one)).toBe(true);
    expect([...new Uint8Array(one.data)]).toEqual(Array.from({ length: 40 }, () => 5));
  });

  it('refuses a camera that is passed off as a screen', async () => {
    const [ada, bob] = [sender(), receiver('screen')];
    await ada.keys.take(epoch(1, 0));
    await bob.keys.take(epoch(1, 1));
    expect(await bob.opening.take(await sealed(ada))).toBe(false);
  });

  it('waits a moment for a key that is on its way', async () => {
    const [ada, bob] = [sender(), receiver()];
    await ada.keys.take(epoch(1, 0));
    const pending = bob.opening.take(await sealed(ada, frame('key')));
    await bob.keys.take(epoch(1, 1));
    expect(await resolved(pending)).toBe(true);
  });

  it('waits no longer than that, and not again for the next frame', async () => {
    const [ada, bob] = [sender(), receiver()];
    await ada.keys.take(epoch(1, 0));
    const [one, two] = [await sealed(ada), await sealed(ada)];
    const from = clock.now();
    expect(await resolved(bob.opening.take(one))).toBe(false);
    expect(clock.now() - from).toBeGreaterThanOrEqual(PATIENCE_MS);
    expect(clock.now() - from).toBeLessThan(PATIENCE_PAUSE_MS);
    const then = clock.now();
    expect(await bob.opening.take(two)).toBe(false);
    expect(clock.now()).toBe(then);
  });

  it('does not wait behind frames from before it came, nor ask for a key frame that would be one of them', async () => {
    const [ada, bob] = [sender(), receiver()];
    await ada.keys.take(epoch(1, 0));
    const early = await sealed(ada, frame('key'));
    const pending = bob.opening.take(early);
    await bob.keys.take(epoch(2, 1));
    // The clock stands: it is the key that ends the wait.
    expect(await pending).toBe(false);
    for (let i = 0; i < 8; i++) expect(await bob.opening.take(await sealed(ada))).toBe(false);
    expect([bob.wishes, bob.locks]).toEqual([[], []]);
    await ada.keys.take(epoch(2, 0));
    expect(await bob.opening.take(await sealed(ada, frame('key')))).toBe(true);
    expect([bob.wishes, bob.locks]).toEqual([[], ['encrypted']]);
  });

  it('asks for a key frame once frames open again after a loss, and is content with one', async () => {
    const [ada, bob] = [sender(), receiver()];
    await ada.keys.take(epoch(1, 0));
    expect(await resolved(bob.opening.take(await sealed(ada, frame('key'))))).toBe(false);
    await bob.keys.take(epoch(1, 1));
    expect(await bob.opening.take(await sealed(ada))).toBe(true);
    expect(bob.wishes).toHaveLength(1);
    expect(await bob.opening.take(await sealed(ada))).toBe(true);
    expect(bob.wishes).toHaveLength(1);
    expect(await bob.opening.take(await sealed(ada, frame('key')))).toBe(true);
    await clock.advance(1_000);
    expect(await bob.opening.take(await sealed(ada))).toBe(true);
    expect(bob.wishes).toHaveLength(1);
  });

  it('says once whether the track can be opened, and again when that changes', async () => {
    const [ada, bob] = [sender(), receiver()];
    await ada.keys.take(epoch(1, 0));
    await bob.keys.take(epoch(1, 1));
    for (let i = 0; i < 3; i++) await bob.opening.take(await sealed(ada));
    expect(bob.locks).toEqual(['encrypted']);
    // Somebody seals as Ada with a key of another making.
    const eve = sender();
    await eve.keys.take(epoch(1, 0, 9));
    for (let i = 0; i < 8; i++) expect(await bob.opening.take(await sealed(eve))).toBe(false);
    expect(bob.locks).toEqual(['encrypted', 'failed']);
    await bob.opening.take(await sealed(ada));
    expect(bob.locks).toEqual(['encrypted', 'failed', 'encrypted']);
    // Keys of an Epoch that did not come.
    await ada.keys.take(epoch(2, 0));
    for (let i = 0; i < 8; i++) await resolved(bob.opening.take(await sealed(ada)));
    expect(bob.locks.at(-1)).toBe('waiting');
  });

  it('shows a frame once', async () => {
    const [ada, bob] = [sender(), receiver()];
    await ada.keys.take(epoch(1, 0));
    await bob.keys.take(epoch(1, 1));
    const one = await sealed(ada);
    const copy = { ...one, data: one.data.slice(0) };
    expect(await bob.opening.take(one)).toBe(true);
    expect(await bob.opening.take(copy)).toBe(false);
    expect(bob.wishes).toEqual([]);
  });
});

describe('the tally', () => {
  it('tells all counts, at most four times a second and only when something happened', async () => {
    const ada = sender();
    await ada.sealing.take(frame());
    await ada.keys.take(epoch(1, 0));
    for (let count = 0; count < 10; count++) await ada.sealing.take(frame());
    await clock.advance(TELL_INTERVAL_MS);
    expect(ada.counts).toEqual([{ sealed: 10, opened: 0, failures: { 'no-key': 1 } }]);
    await clock.advance(2_000);
    expect(ada.counts).toHaveLength(1);
  });
});
