import type { PeerId } from '@veilcast/protocol';
import { expect, test } from 'vitest';
import { ShownAttestations, type AttestationAnswer } from './shown.ts';

const peers = (count: number): PeerId[] => Array.from({ length: count }, (_, i) => `peer-${i}` as PeerId);
const answerFor = (asked: readonly PeerId[]): AttestationAnswer => ({
  head: Uint8Array.of(1),
  attestations: asked.map((peerId) => ({ peerId, attestation: new TextEncoder().encode(peerId) })),
});

test('a Room is asked about in batches, each Peer once', async () => {
  const asked: number[] = [];
  const shown = new ShownAttestations(async (batch) => {
    asked.push(batch.length);
    return answerFor(batch);
  });
  shown.expect(peers(70));
  shown.expect(peers(70));
  expect(await shown.of('peer-0' as PeerId)).toEqual({
    attestation: new TextEncoder().encode('peer-0'),
    head: Uint8Array.of(1),
  });
  expect(asked).toEqual([32, 32, 6]);
});

test('who is left out of an answer, or asked about in vain, is asked about again', async () => {
  let answers: (() => AttestationAnswer | undefined)[] = [];
  const shown = new ShownAttestations(async () => answers.shift()?.());
  const [ada, bob] = peers(2) as [PeerId, PeerId];
  answers = [() => answerFor([bob]), () => undefined, () => answerFor([ada])];
  expect(await Promise.all([shown.of(ada), shown.of(bob)])).toMatchObject([undefined, {}]);
  expect(await shown.of(ada)).toBeUndefined();
  expect(await shown.of(ada)).toBeDefined();
  expect(answers).toEqual([]);
});

test('an answer about somebody who was not asked about is nothing', async () => {
  const shown = new ShownAttestations(async () => answerFor(['eve' as PeerId]));
  expect(await shown.of('ada' as PeerId)).toBeUndefined();
});

test('our own needs no asking', async () => {
  const shown = new ShownAttestations(() => Promise.reject(new Error('asked')));
  const own = { attestation: Uint8Array.of(7), head: Uint8Array.of(8) };
  shown.put('ada' as PeerId, own);
  expect(await shown.of('ada' as PeerId)).toBe(own);
});
