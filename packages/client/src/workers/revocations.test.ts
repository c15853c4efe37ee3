import { hexNameOf, newDevice, signRevocations } from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import type { ParticipantId, PeerId } from '@veilcast/protocol';
import { expect, test } from 'vitest';
import { Revocations } from './revocations.ts';

test('only a signed list is taken, never an older one, and those who are out are named once', async () => {
  const [root, stranger, bob] = await Promise.all([signatures.generate(), signatures.generate(), newDevice()]);
  const gone: PeerId[][] = [];
  const revocations = new Revocations(root.publicKey, (peers) => gone.push(peers));
  const peerId = 'peer-b' as PeerId;
  const { device, publicKey: key } = bob;
  revocations.believed({ peerId, user: 'bob' as ParticipantId, role: 'speaker', device, guest: false, key });
  const revoked = [{ key: hexNameOf(key), until: 9 }];
  const list = (number: number, by = root, entries = revoked) =>
    signRevocations({ number, issuedAt: 1, revoked: entries }, by);

  expect(await revocations.take(await list(1, stranger))).toBe(false);
  expect(await revocations.take(new Uint8Array(20))).toBe(false);
  expect(revocations.list).toBeUndefined();
  expect(await revocations.take(await list(0, root, []))).toBe(true);
  expect(gone).toEqual([]);
  expect(await revocations.take(await list(2))).toBe(true);
  expect(await revocations.take(await list(1, root, []))).toBe(false);
  expect(await revocations.take(await list(2))).toBe(true);
  expect(gone).toEqual([[peerId]]);
  expect(revocations.list).toMatchObject({ number: 2, revoked });
});
