/** Who is who: bundles, statements, attestations, proofs, lists, heads, credentials. */
import { verifyCredential } from '@veilcast/e2ee';
import {
  decodeAttestation,
  decodeBundle,
  decodeHead,
  decodeProof,
  decodeRevocations,
  decodeStatement,
  encodeAttestation,
  encodeProof,
  signBundle,
  signHead,
  signRevocations,
  signStatement,
} from '@veilcast/e2ee/identity';
import { extendsLog, includes, leafHash, MerkleLog } from '@veilcast/translog';
import { NOW, ROOM, claimsOf, newAuthority, splitCredential } from '@veilcast/e2ee/fuzzing';
import { canonical, NONE, sealed, type Target } from './target.ts';

/** A key whose signature is these bytes: what is read is written again with the signature that it came with. */
const signing = (signature: Uint8Array) => ({
  publicKey: new Uint8Array(1952).fill(4),
  sign: async () => signature as Uint8Array<ArrayBuffer>,
});
const SIGNATURE = Uint8Array.from({ length: 3309 }, (_, i) => i & 255);
const KEY = Uint8Array.from({ length: 1952 }, (_, i) => (i * 7) & 255);
const device = new Uint8Array(16).fill(8);

const bundle = () =>
  signBundle({ user: 'ada' as never, device, key: KEY, issuedAt: NOW, expiresAt: NOW + 1 }, signing(SIGNATURE));
const statement = () =>
  signStatement(
    { guest: true, device, room: ROOM, leaf: new Uint8Array(32), binding: new Uint8Array(32).fill(1), expiresAt: NOW },
    signing(SIGNATURE),
  );

export const bundleTarget = async (): Promise<Target> =>
  canonical('bundle', [await bundle()], decodeBundle, (read) => signBundle(read, signing(read.signature)));

export const statementTarget = async (): Promise<Target> =>
  canonical('statement', [await statement()], decodeStatement, (read) => signStatement(read, signing(read.signature)));

export const attestationTarget = async (): Promise<Target> => {
  const path = Array.from({ length: 5 }, (_, i) => new Uint8Array(32).fill(i));
  const shown = { bundle: await bundle(), statement: await statement(), index: 17, path };
  return canonical(
    'attestation',
    [encodeAttestation(shown), encodeAttestation({ ...shown, path: [] })],
    decodeAttestation,
    encodeAttestation,
  );
};

export const proofTarget = async (): Promise<Target> =>
  canonical('device proof', [encodeProof({ key: KEY, statement: await statement() })], decodeProof, encodeProof);

export const revocationsTarget = async (): Promise<Target> => {
  const revoked = Array.from({ length: 6 }, (_, i) => ({ key: `${i}a`.repeat(32), until: NOW + i }));
  const list = { number: 4, issuedAt: NOW, revoked };
  const seeds = [
    await signRevocations(list, signing(SIGNATURE)),
    await signRevocations({ ...list, revoked: [] }, signing(SIGNATURE)),
  ];
  return canonical('revocations', seeds, decodeRevocations, (read) => signRevocations(read, signing(read.signature)));
};

export const headTarget = async (): Promise<Target> =>
  canonical(
    'log head',
    [await signHead({ size: 9, root: new Uint8Array(32).fill(2), at: NOW }, signing(SIGNATURE))],
    decodeHead,
    (read) => signHead(read, signing(read.signature)),
  );

/** A proof as bytes: index, size, then hashes. It may show the entry in its place, and nothing else. */
export const inclusionTarget = (): Target => {
  const log = new MerkleLog();
  const leaves = Array.from({ length: 21 }, (_, i) => leafHash(Uint8Array.of(i)));
  for (const leaf of leaves) log.append(leaf);
  const write = (index: number): Uint8Array =>
    Uint8Array.from([index, ...log.inclusion(index).flatMap((hash) => [...hash])]);
  return {
    name: 'inclusion proof',
    accepts: 'an entry in its place',
    seeds: [3, 2, 4, 0, 20, 16].map(write),
    take(input) {
      const index = input[0] ?? 0;
      const path = hashes(input.subarray(1));
      const leaf = leaves[3] ?? new Uint8Array();
      if (!includes({ leaf, index, size: log.size, root: log.root() }, path)) return NONE;
      return index === 3 && path.length === log.inclusion(3).length ? 'taken' : { wrong: 'shown in another place' };
    },
  };
};

export const consistencyTarget = (): Target => {
  const log = new MerkleLog();
  const roots: Uint8Array[] = [];
  for (let i = 0; i < 21; i++) {
    log.append(leafHash(Uint8Array.of(i)));
    roots.push(log.root());
  }
  const older = { size: 13, root: roots[12] ?? new Uint8Array() };
  const newer = { size: 21, root: log.root() };
  const valid = Uint8Array.from(log.consistency(13).flatMap((hash) => [...hash]));
  return sealed('consistency proof', [valid], async (input) =>
    input.length % 32 === 0 && extendsLog(older, newer, hashes(input)) ? 'taken' : NONE,
  );
};

function hashes(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / 32) }, (_, i) => bytes.slice(32 * i, 32 * i + 32));
}

const decoder = new TextDecoder();

export const credentialTarget = async (): Promise<Target> => {
  const authority = await newAuthority();
  const leaf = new Uint8Array(32).fill(6);
  const encoder = new TextEncoder();
  const seeds = await Promise.all(
    ['ada', 'bob'].map(async (peer) => encoder.encode(await authority.sign(claimsOf(peer, leaf)))),
  );
  const verify = async (input: Uint8Array) =>
    (await verifyCredential(decoder.decode(input), authority.jwk, ROOM, NOW)) === undefined ? NONE : 'taken';
  return sealed('credential', seeds, verify, (input) => splitCredential(decoder.decode(input)) !== undefined);
};
