import { toBase64Url } from '@veilcast/e2ee/identity';
import type { PeerId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { gossipHeads, type LogGossipOptions } from './log-gossip.ts';

const BOB = 'bob' as PeerId;

test('what is new is told once a minute, what others tell is compared, and after the end neither', async () => {
  const clock = virtualClock();
  const said: unknown[] = [];
  const seen: [number, PeerId | undefined][] = [];
  let hear: ((value: { head: string }, by: PeerId) => void) | undefined;
  let latestHead: Uint8Array | undefined;
  const talk = {
    say: async (kind: string, value: unknown) => void said.push([kind, value]),
    on: (_kind: string, listener: (value: unknown, heard: unknown) => void) => {
      hear = (value, by) => listener(value, { by });
      return () => (hear = undefined);
    },
  } as unknown as LogGossipOptions['talk'];
  const identities: LogGossipOptions['identities'] = {
    get latestHead() {
      return latestHead;
    },
    headSeen: (head, from) => seen.push([head.length, from]),
  };
  const stop = gossipHeads({ clock, random: () => 0, talk, identities });

  await clock.advance(3_000);
  expect(said).toEqual([]);
  latestHead = Uint8Array.of(1, 2);
  await clock.advance(180_000);
  expect(said).toEqual([['logHead', { head: toBase64Url(latestHead) }]]);

  hear?.({ head: toBase64Url(new Uint8Array(30)) }, BOB);
  hear?.({ head: 'no base64url!' }, BOB);
  expect(seen).toEqual([
    [30, BOB],
    [0, BOB],
  ]);

  stop();
  latestHead = Uint8Array.of(3);
  await clock.advance(180_000);
  expect(said).toHaveLength(1);
  expect(hear).toBeUndefined();
});
