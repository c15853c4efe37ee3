/**
 * The credential of a leaf: a compact JWS (RFC 7515, EdDSA) by the Authentication Service over who sits there with which
 * key. Verified with WebCrypto alone, so that a browser needs no library for it. The header must be exactly what the
 * service writes: an attacker chooses nothing, neither algorithm nor key.
 */
import { ParticipantId, PeerId, Role, RoomId } from '@veilcast/protocol';
import { z } from 'zod';
import { fromBase64Url } from './base64url.ts';
import { equalBytes } from './bytes.ts';
import type { ValidateCredential, VerifiedCredential } from './group.ts';

/** As in the Admission (packages/protocol). */
const CREDENTIAL_MAX = 2048;

/** `typ` keeps the service's other tokens apart (RFC 8725 §3.11): none of them is a credential. */
const JwsHeader = z.strictObject({
  alg: z.literal('EdDSA'),
  typ: z.literal('veilcast-leaf'),
  kid: z.string().max(128).optional(),
});

/** What the Authentication Service signs. */
export const CredentialClaims = z.strictObject({
  v: z.literal(2),
  room: RoomId,
  peer: PeerId,
  participant: ParticipantId,
  role: Role,
  /** Ed25519 public key, base64url. */
  leaf: z.string().length(43),
  /** SHA-256 of the Participant's bundle (identity/bundle.ts), base64url. */
  bundle: z.string().length(43),
  /** Seconds since the Unix epoch. */
  exp: z.number().int().positive(),
});
export type CredentialClaims = z.infer<typeof CredentialClaims>;

export interface LeafCredential extends VerifiedCredential {
  readonly participantId: ParticipantId;
  readonly role: Role;
  readonly leafPublicKey: Uint8Array;
  readonly bundle: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** The public key of the Authentication Service, as `GET /api/authority` gives it. */
export interface AuthorityKey {
  readonly kty?: string;
  readonly crv?: string;
  readonly x?: string;
}

/** Undefined for anything but a live credential of this Room by this authority. `now` in ms. Never throws. */
export async function verifyCredential(
  jws: string,
  authority: AuthorityKey,
  room: RoomId,
  now: number,
): Promise<LeafCredential | undefined> {
  const parts = splitCredential(jws);
  if (parts === undefined) return undefined;
  try {
    const key = await authorityKey(authority);
    if (!(await crypto.subtle.verify('Ed25519', key, parts.signature, parts.signed))) return undefined;
    const claims = CredentialClaims.parse(jsonOf(parts.payload));
    if (claims.room !== room || claims.exp * 1000 <= now) return undefined;
    return {
      peerId: claims.peer,
      participantId: claims.participant,
      role: claims.role,
      leafPublicKey: fromBase64Url(claims.leaf),
      bundle: fromBase64Url(claims.bundle),
      expiresAt: claims.exp * 1000,
    };
  } catch {
    return undefined;
  }
}

/** A compact JWS with our header; its payload is not looked at before the signature is. Never throws. */
export function splitCredential(
  jws: string,
):
  | { readonly signed: Uint8Array<ArrayBuffer>; readonly payload: string; readonly signature: Uint8Array<ArrayBuffer> }
  | undefined {
  if (jws.length > CREDENTIAL_MAX) return undefined;
  const [header, payload, signature, ...rest] = jws.split('.');
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0) return undefined;
  try {
    if (!JwsHeader.safeParse(jsonOf(header)).success) return undefined;
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    return { signed, payload, signature: fromBase64Url(signature) };
  } catch {
    return undefined;
  }
}

/** The half of a `validate` that needs nothing else: the credential is live, of this Room, and of exactly this leaf key. */
export function credentialValidator(authority: AuthorityKey, room: RoomId, now: () => number): ValidateCredential {
  return async (credential, leafPublicKey) => {
    const verified = await verifyCredential(credential, authority, room, now());
    return verified !== undefined && equalBytes(verified.leafPublicKey, leafPublicKey) ? verified : undefined;
  };
}

function authorityKey({ kty, crv, x }: AuthorityKey): Promise<CryptoKey> {
  if (kty !== 'OKP' || crv !== 'Ed25519' || x === undefined) throw new TypeError('not an Ed25519 key');
  return crypto.subtle.importKey('raw', fromBase64Url(x), 'Ed25519', false, ['verify']);
}

function jsonOf(part: string): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(fromBase64Url(part)));
}
