/** A Node that is emptied: how fast it asks, whom again, and when it is done. */
import { virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ASK_AGAIN_MS, Draining } from './draining.ts';

interface Scene {
  readonly peers: number;
  readonly peersPerSecond: number;
  /** A move fails so many times before it succeeds, by Peer. */
  readonly failures: number[];
  readonly deadlineMs: number;
}

async function drain({ peers, peersPerSecond, failures, deadlineMs }: Scene) {
  const clock = virtualClock();
  const here = new Set(Array.from({ length: peers }, (_, i) => `p${i}`));
  const left = new Map([...here].map((peerId, i) => [peerId, failures[i % Math.max(1, failures.length)] ?? 0]));
  const asks: { at: number; peerId: string }[] = [];
  let outcome: boolean | undefined;
  let endedAt = 0;
  const start = clock.now();
  const draining = new Draining({
    clock,
    peersPerSecond,
    deadlineMs,
    peers: () => [...here].map((peerId) => ({ roomId: 'r', peerId })),
    pipes: () => (here.size > 0 ? 1 : 0),
    ask: ({ peerId }) => {
      asks.push({ at: clock.now() - start, peerId });
      const failing = left.get(peerId) ?? 0;
      left.set(peerId, failing - 1);
      if (failing <= 0) clock.after(500, () => here.delete(peerId));
      return true;
    },
    done: (empty) => {
      outcome = empty;
      endedAt = clock.now() - start;
    },
  });
  await clock.advance(deadlineMs + 2_000);
  draining.close();
  expect(clock.pending()).toBe(0);
  return { asks, outcome, endedAt, here };
}

const scenes = fc.record({
  peers: fc.integer({ min: 0, max: 30 }),
  peersPerSecond: fc.constantFrom(0.5, 2, 20),
  failures: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 4 }),
  deadlineMs: fc.constantFrom(5_000, 60_000),
});

test('never asks faster than it may, asks nobody again too soon, and ends empty or at the deadline', async () => {
  await fc.assert(
    fc.asyncProperty(scenes, async (scene) => {
      const { asks, outcome, endedAt, here } = await drain(scene);
      for (const { at } of asks) {
        const within = asks.filter((one) => one.at >= at && one.at < at + 1_000).length;
        expect(within).toBeLessThanOrEqual(2 * Math.max(1, scene.peersPerSecond) + 1);
      }
      for (const [i, one] of asks.entries()) {
        const before = asks.slice(0, i).findLast(({ peerId }) => peerId === one.peerId);
        if (before) expect(one.at - before.at).toBeGreaterThanOrEqual(ASK_AGAIN_MS);
      }
      expect(outcome).toBe(here.size === 0);
      expect(endedAt).toBeLessThanOrEqual(scene.deadlineMs + 100);
      if (outcome === false) expect(endedAt).toBeGreaterThanOrEqual(scene.deadlineMs);
    }),
    { numRuns: 60 },
  );
});
