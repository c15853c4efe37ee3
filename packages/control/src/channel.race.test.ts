/** Channels over a network that delays, cuts and kills: what a caller and a server may see of a request. */
import { ClusterError } from '@veilcast/protocol';
import { seededRandom, simulatedCluster, virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Channel } from './channel.ts';
import { acceptChannels, connectChannel } from './dial.ts';
import { eventOf, resultOf } from './frames.ts';

const EXPECTED = new Set(['DEADLINE', 'CHANNEL_CLOSED', 'CLOSED', 'STALE_TERM', 'OVERLOADED']);

const step = fc.record({
  what: fc.constantFrom(
    ...(['ask', 'ask', 'ask', 'abort', 'emit', 'cut', 'heal', 'wait', 'pause', 'resume', 'close'] as const),
  ),
  ms: fc.nat(1_500),
});

test('a request is served at most once and ends exactly once, by its deadline; events are a prefix of what was said', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), fc.nat(), async (steps, seed) => {
      const clock = virtualClock();
      const random = seededRandom(seed);
      const cluster = simulatedCluster(clock, random, { delayMs: () => 10, jitterMs: 30, loss: 0.1 });
      const [a, b] = [cluster.process('a'), cluster.process('b')];
      const served = new Map<string, number>();
      const heard: string[] = [];
      await acceptChannels({
        carrier: b.carrier,
        address: 'b',
        clock: b.clock,
        hello: { kind: 'sfu-node', processId: 'b', incarnation: '1' },
        limits: { serving: 5 },
        serve: async ({ call, signal }) => {
          if (call.case !== 'place') throw new TypeError('a bug');
          const { peerId, region } = call.value;
          served.set(peerId, (served.get(peerId) ?? 0) + 1);
          await new Promise<void>((resolve) => {
            b.clock.after(Number(region), resolve);
            signal.addEventListener('abort', () => resolve());
          });
          if (Number(region) % 5 === 0) throw new ClusterError('STALE_TERM');
          return resultOf('placed', { nodeId: peerId });
        },
        onChannel: (channel) =>
          channel.onEvent((event) => heard.push(event.case === 'peerGone' ? event.value.peerId : '?')),
      });
      let channel: Channel | undefined;
      void connectChannel({
        carrier: a.carrier,
        address: 'b',
        clock: a.clock,
        hello: { kind: 'signaling', processId: 'a', incarnation: '1' },
        serve: async () => undefined,
      }).then((opened) => (channel = opened));
      await clock.runUntil(() => channel !== undefined);

      const aborts: AbortController[] = [];
      const said: string[] = [];
      let asked = 0;
      let ended = 0;
      const ask = (deadlineMs: number): void => {
        const peerId = `p${(asked += 1)}`;
        const due = clock.now() + deadlineMs;
        const abort = new AbortController();
        aborts.push(abort);
        const options = { deadlineMs, signal: abort.signal };
        void channel?.request('place', { peerId, region: String(random.int(400)) }, options).then(
          (placed) => {
            ended += 1;
            expect(placed.nodeId).toBe(peerId);
            expect(clock.now()).toBeLessThanOrEqual(due);
          },
          (error: unknown) => {
            ended += 1;
            expect(EXPECTED).toContain((error as ClusterError).code);
            expect(clock.now()).toBeLessThanOrEqual(due);
          },
        );
      };
      for (const [at, { what, ms }] of steps.entries()) {
        if (what === 'ask') ask(1 + ms);
        else if (what === 'abort') aborts[ms % Math.max(1, aborts.length)]?.abort();
        else if (what === 'cut') cluster.cut('a', 'b');
        else if (what === 'heal') cluster.heal('a', 'b');
        else if (what === 'pause') b.pause();
        else if (what === 'resume') b.resume();
        else if (what === 'close' && at > 25) channel?.close();
        else if (what === 'wait') await clock.advance(ms);
        else if (channel?.closed === false) {
          channel.emit(eventOf('peerGone', { peerId: `${at}` }));
          said.push(`${at}`);
        }
      }
      cluster.healAll();
      b.resume();
      await clock.advance(10_000);
      expect(ended).toBe(asked);
      for (const count of served.values()) expect(count).toBe(1);
      expect(heard).toEqual(said.slice(0, heard.length));
      if (channel?.closed === false) expect(heard).toEqual(said);
      channel?.close();
      await clock.advance(1_000);
      expect(clock.pending()).toBe(0);
    }),
    { numRuns: 100 },
  );
});
