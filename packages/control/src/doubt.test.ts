import { virtualClock } from '@veilcast/testkit';
import { ClusterError } from '@veilcast/protocol';
import { expect, test } from 'vitest';
import { Unreachable, type Sight } from './carrier.ts';
import { Doubt, type Verdict } from './doubt.ts';

const limits = { pingMs: 250, quietPings: 2 };
const never = (): Promise<never> => new Promise(() => undefined);

/** A doubt about a process that is seen like this. */
async function verdictOf(seen: {
  probe?: () => Promise<void>;
  knock?: () => Promise<Sight | undefined>;
  isHeardElsewhere?: () => Promise<boolean>;
  channel?: { closed: boolean; silentMs: number };
}): Promise<{ verdict: Verdict | undefined; afterMs: number; pending: number }> {
  const clock = virtualClock();
  const outcome: { verdict: Verdict | undefined; afterMs: number } = { verdict: undefined, afterMs: 0 };
  new Doubt({
    clock,
    limits,
    channel: seen.channel ?? { closed: false, silentMs: 1_000 },
    probe: seen.probe ?? never,
    knock: seen.knock ?? never,
    isHeardElsewhere: seen.isHeardElsewhere ?? (async () => false),
    verdict: (verdict) => {
      expect(outcome.verdict).toBeUndefined();
      Object.assign(outcome, { verdict, afterMs: clock.now() });
    },
  }).begin();
  const began = clock.now();
  await clock.advance(10_000);
  return { verdict: outcome.verdict, afterMs: outcome.afterMs - began, pending: clock.pending() };
}

test.each<[string, Parameters<typeof verdictOf>[0], Verdict]>([
  ['nobody listens there any more', { knock: async () => 'refused' }, 'dead'],
  ['a dial is refused', { probe: () => Promise.reject(new Unreachable('refused')) }, 'dead'],
  ['another life of it answers', { probe: () => Promise.reject(new ClusterError('STALE_INCARNATION')) }, 'dead'],
])('it is dead at once when %s', async (_what, seen, verdict) => {
  expect(await verdictOf(seen)).toMatchObject({ verdict, afterMs: 0, pending: 0 });
});

test.each<[Verdict, string, Parameters<typeof verdictOf>[0]]>([
  ['hung', 'its host answers and it does not', { knock: async () => 'hung' }],
  ['lost', 'nothing answers', { knock: async () => 'nothing' }],
  ['lost', 'nothing answers, and nobody says what they hear', { isHeardElsewhere: never }],
  ['lost', 'nothing answers, and there is nobody to ask', { isHeardElsewhere: () => Promise.reject(new Error()) }],
])('it is %s within a second when %s', async (verdict, _what, seen) => {
  const outcome = await verdictOf(seen);
  expect(outcome).toMatchObject({ verdict, pending: 0 });
  expect(outcome.afterMs).toBeGreaterThan(500);
  expect(outcome.afterMs).toBeLessThanOrEqual(1_000);
});

test.each<[string, Parameters<typeof verdictOf>[0]]>([
  ['another dial is answered', { probe: async () => undefined }],
  ['others hear it', { isHeardElsewhere: async () => true, knock: async () => 'nothing' }],
  ['it was heard meanwhile', { channel: { closed: false, silentMs: 250 } }],
  ['its Channel has ended', { channel: { closed: true, silentMs: 5_000 }, knock: async () => 'refused' }],
])('there is no verdict when %s', async (_what, seen) => {
  expect(await verdictOf(seen)).toMatchObject({ verdict: undefined, pending: 0 });
});
