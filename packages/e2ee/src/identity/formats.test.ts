/** Formats: frozen vectors, one encoding a value, and nothing but what was written is ever read or believed. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { ParticipantId, RoomId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { signatures, type SigningKey } from '../pq/index.ts';
import { decodeAttestation, decodeProof, encodeAttestation, encodeProof } from './attestation.ts';
import { decodeBundle, hexNameOf, nameOf, signBundle, verifyBundle } from './bundle.ts';
import { checkAttestation } from './check.ts';
import { acceptHead, decodeHead, logEntry, signHead } from './log-head.ts';
import {
  acceptRevocations,
  decodeRevocations,
  signRevocations,
  signSelfRevocation,
  verifySelfRevocation,
} from './revocations.ts';
import { safetyNumber } from './safety-number.ts';
import { openDevice, sealDevice } from './sealed-device.ts';
import { decodeStatement, signStatement, tokenBinding, verifyStatement } from './statement.ts';
import { leafHash, MerkleLog } from '@veilcast/translog';

const vectors = JSON.parse(readFileSync(new URL('../../vectors/identity.json', import.meta.url), 'utf8')) as {
  readonly formats: object;
  readonly sealedDevice: { readonly text: string; readonly passphrase: string };
};
const ROOT_SEED = new Uint8Array(32).fill(1);
const DEVICE_SEED = new Uint8Array(32).fill(2);
const device = new Uint8Array(16).fill(3);
const leaf = new Uint8Array(32).fill(4);
const user = 'ada' as ParticipantId;
const room = 'demo' as RoomId;
const times = { issuedAt: 1_800_000_000_000, expiresAt: 1_800_086_400_000 };

let root: SigningKey;
let key: SigningKey;
beforeAll(async () => {
  [root, key] = await Promise.all([signatures.fromSeed(ROOT_SEED), signatures.fromSeed(DEVICE_SEED)]);
});

/** Without the signature, which need not be the same twice (FIPS 204 §3.4). */
const signed = (bytes: Uint8Array): string => bytesToHex(bytes.slice(0, -3309));

async function everything() {
  const bundle = await signBundle({ user, device, key: key.publicKey, ...times }, root);
  const binding = tokenBinding('token');
  const statement = await signStatement({ guest: true, device, room, leaf, binding, expiresAt: times.expiresAt }, key);
  const log = new MerkleLog();
  for (let i = 0; i < 5; i++) log.append(nameOf(Uint8Array.of(i)));
  const index = log.append(leafHash(logEntry({ user, key: key.publicKey, bundle })));
  log.append(nameOf(Uint8Array.of(9)));
  const attestation = encodeAttestation({ bundle, statement, index, path: log.inclusion(index) });
  const head = await signHead({ size: log.size, root: log.root(), at: times.issuedAt }, root);
  const revoked = [{ key: hexNameOf(key.publicKey), until: times.expiresAt }];
  const revocations = await signRevocations({ number: 7, issuedAt: times.issuedAt, revoked }, root);
  return { bundle, statement, attestation, head, revocations, log, index };
}

test('the layouts are those of the vectors', async () => {
  const { bundle, statement, revocations } = await everything();
  const head = await signHead({ size: 7, root: new Uint8Array(32), at: times.issuedAt }, root);
  expect({
    rootPublicKeySha256: hexNameOf(root.publicKey),
    devicePublicKeySha256: hexNameOf(key.publicKey),
    tokenBinding: bytesToHex(tokenBinding('token')),
    bundleSha256OfSigned: hexNameOf(hexToBytes(signed(bundle))),
    statementSigned: signed(statement),
    revocationsSigned: signed(revocations),
    headSigned: signed(head),
    logEntry: bytesToHex(logEntry({ user, key: key.publicKey, bundle: Uint8Array.of(1, 2, 3) })),
    safetyNumber: safetyNumber(
      { user, key: key.publicKey },
      { user: 'bob' as ParticipantId, key: root.publicKey },
      root.publicKey,
    ),
  }).toEqual(vectors.formats);
});

test('what was sealed long ago opens with its passphrase, and with no other', async () => {
  expect(await openDevice(vectors.sealedDevice.text, vectors.sealedDevice.passphrase)).toEqual({
    device,
    seed: DEVICE_SEED,
  });
  expect(await openDevice(vectors.sealedDevice.text, 'another')).toBeUndefined();
});

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

describe('a sealed device', () => {
  test('is opened as it was, and not when a character of it was changed', async () => {
    const secret = { device: device.slice(), seed: DEVICE_SEED.slice() };
    const text = await sealDevice(secret, 'pass phrase', { log2N: 4, random });
    expect(await openDevice(text, 'pass phrase')).toEqual(secret);
    for (const at of [0, 16, 18, 19, 25, 50, 70, text.length - 3]) {
      const changed = `${text.slice(0, at)}${text[at] === 'B' ? 'C' : 'B'}${text.slice(at + 1)}`;
      expect([at, await openDevice(changed, 'pass phrase')]).toEqual([at, undefined]);
    }
    for (const bad of ['', 'veilcast-device:1:', `${text}A`, text.slice(0, -4), 'veilcast-device:1:!!']) {
      expect(await openDevice(bad, 'pass phrase')).toBeUndefined();
    }
  });
});

test('safety numbers are the same from both sides, and depend on user, key and root', () => {
  const ada = { user, key: key.publicKey };
  const bob = { user: 'bob' as ParticipantId, key: root.publicKey };
  const number = safetyNumber(ada, bob, root.publicKey);
  expect(safetyNumber(bob, ada, root.publicKey)).toEqual(number);
  expect(number.digits).toMatch(/^(\d{5} ){11}\d{5}$/);
  const others = [
    safetyNumber({ ...ada, user: 'adb' as ParticipantId }, bob, root.publicKey),
    safetyNumber({ ...ada, key: root.publicKey }, bob, root.publicKey),
    safetyNumber(ada, bob, key.publicKey),
  ];
  for (const other of others) expect(other.qr).not.toBe(number.qr);
});

test('a device revokes itself; nobody does it for it', async () => {
  const said = await signSelfRevocation(key, times.issuedAt);
  expect(await verifySelfRevocation(said, signatures, times.issuedAt)).toEqual(key.publicKey);
  for (const at of [1, 1953, 1961, said.length - 1]) {
    const changed = said.with(at, (said[at] ?? 0) ^ 1);
    expect(await verifySelfRevocation(changed, signatures, times.issuedAt)).toBeUndefined();
  }
  expect(await verifySelfRevocation(said, signatures, times.issuedAt + 3_600_001)).toBeUndefined();
});

describe('bytes that were changed on the way', () => {
  test('are never believed: a bit, a byte more, a byte less', async () => {
    const { bundle, statement, attestation, head, revocations } = await everything();
    const accepted = await acceptHead(head, root.publicKey, signatures);
    const shown = { user, room, leaf, bundle: nameOf(bundle) };
    const trust = { vouchers: [root.publicKey], signatures };
    const believed: Record<string, (bytes: Uint8Array) => Promise<unknown>> = {
      bundle: async (bytes) => {
        const read = decodeBundle(bytes);
        return read && ((await verifyBundle(read, root.publicKey, signatures)) || undefined);
      },
      statement: async (bytes) => {
        const read = decodeStatement(bytes);
        return read && ((await verifyStatement(read, key.publicKey, signatures)) || undefined);
      },
      attestation: async (bytes) => {
        const found = await checkAttestation(bytes, accepted!, shown, trust);
        return typeof found === 'string' ? undefined : found;
      },
      head: (bytes) => acceptHead(bytes, root.publicKey, signatures),
      revocations: (bytes) => acceptRevocations(bytes, root.publicKey, signatures, undefined),
    };
    const originals: Record<string, Uint8Array> = { bundle, statement, attestation, head, revocations };
    for (const [name, bytes] of Object.entries(originals)) {
      expect([name, (await believed[name]?.(bytes)) === undefined]).toEqual([name, false]);
      await fc.assert(
        fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 7 }), fc.nat(2), async (place, bit, how) => {
          const at = place % bytes.length;
          const flipped = bytes.with(at, (bytes[at] ?? 0) ^ (1 << bit));
          const longer = new Uint8Array([...bytes, bit]);
          const changed = [flipped, longer, bytes.slice(0, at)][how]!;
          expect(await believed[name]?.(changed)).toBeUndefined();
        }),
        { numRuns: 60 },
      );
    }
  });

  test('and noise is nothing, whatever its length', () => {
    const decoders = [decodeBundle, decodeStatement, decodeAttestation, decodeHead, decodeRevocations];
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 8_000 }), fc.boolean(), (noise, versioned) => {
        const bytes = versioned ? noise.with(0, 1) : noise;
        for (const decode of decoders) expect(decode(bytes)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
    expect(decodeProof(new Uint8Array(1_952))).toBeUndefined();
    const proof = { key: key.publicKey, statement: new Uint8Array(5) };
    expect(decodeProof(encodeProof(proof))).toEqual(proof);
  });
});
