/**
 * Who the servers are: their X-Wing key, and how long it holds, signed by an ML-DSA-65 root that is kept offline and whose
 * hash is pinned in the client. A document is `root(1952) ‖ signature(3309) ‖ X-Wing key(1216) ‖ claims(JSON)`; the
 * signature is over the last two.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { ClusterError, RegionId } from '@veilcast/protocol';
import { z } from 'zod';
import { concatBytes, equalBytes } from '../bytes.ts';
import { KEM_PUBLIC_BYTES, SIGNATURE_BYTES, SIGNATURE_PUBLIC_BYTES } from '../pq/index.ts';
import type { SigningKey, Signatures } from '../pq/index.ts';
import { encodeJson, readJson, requireSize } from './bytes.ts';
import { CONTEXT_MANIFEST } from './constants.ts';

const CLAIMS_MAX = 2_048;
const SIGNED_AT = SIGNATURE_PUBLIC_BYTES + SIGNATURE_BYTES;
const MANIFEST_MIN = SIGNED_AT + KEM_PUBLIC_BYTES;
export const MANIFEST_MAX = MANIFEST_MIN + CLAIMS_MAX;
/** A stolen server key is good for so long at most. */
export const MANIFEST_LIFE_MAX_S = 7 * 86_400;

const Claims = z.strictObject({
  v: z.literal(1),
  /** The cluster or the process whose key it is. */
  id: z.string().min(1).max(64),
  regions: z.array(RegionId).max(64).optional(),
  /** Seconds since the Unix epoch. */
  notBefore: z.number().int().nonnegative(),
  expiry: z.number().int().positive(),
});
export type ManifestClaims = z.infer<typeof Claims>;

export interface Manifest extends ManifestClaims {
  readonly kemPublicKey: Uint8Array;
  /** What was signed: every handshake starts from it. */
  readonly signed: Uint8Array;
}

/** SHA-256 of the root's public key: what a client pins. */
export function pinOf(rootPublicKey: Uint8Array): Uint8Array {
  return sha256(rootPublicKey);
}

/** The root that a document names; it proves nothing. @throws ClusterError MANIFEST_INVALID, OVERSIZE */
export function rootOf(document: Uint8Array): Uint8Array {
  requireSize(document, MANIFEST_MIN, MANIFEST_MAX, 'MANIFEST_INVALID');
  return document.slice(0, SIGNATURE_PUBLIC_BYTES);
}

export async function signManifest(
  root: SigningKey,
  kemPublicKey: Uint8Array,
  claims: ManifestClaims,
): Promise<Uint8Array> {
  const signed = concatBytes(kemPublicKey, encodeJson(claims));
  return concatBytes(root.publicKey, await root.sign(signed, CONTEXT_MANIFEST), signed);
}

/** @param now in ms. @throws ClusterError MANIFEST_INVALID, OVERSIZE */
export async function openManifest(
  document: Uint8Array,
  pin: Uint8Array,
  now: number,
  signatures: Signatures,
): Promise<Manifest> {
  const root = rootOf(document);
  if (!equalBytes(pinOf(root), pin)) throw invalid('its root is not the one that is pinned');
  const signed = document.slice(SIGNED_AT);
  const signature = document.slice(SIGNATURE_PUBLIC_BYTES, SIGNED_AT);
  if (!(await signatures.verify(root, signed, signature, CONTEXT_MANIFEST))) throw invalid('its signature is wrong');
  const claims = readJson(Claims, signed.slice(KEM_PUBLIC_BYTES), 'MANIFEST_INVALID');
  if (claims.expiry - claims.notBefore > MANIFEST_LIFE_MAX_S) throw invalid('it lives too long');
  if (now < claims.notBefore * 1_000) throw invalid('it is not valid yet');
  if (now >= claims.expiry * 1_000) throw invalid('it has expired');
  return { ...claims, kemPublicKey: signed.slice(0, KEM_PUBLIC_BYTES), signed };
}

function invalid(why: string): ClusterError {
  return new ClusterError('MANIFEST_INVALID', why);
}
