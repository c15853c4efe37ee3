/** Whose word is believed about who is who: fetched from signaling, and held to what the application was given (ADR 0011, 0043). */
import type { AuthorityKey } from '@veilcast/e2ee';
import { fromBase64Url, hexNameOf } from '@veilcast/e2ee/identity';
import { ClusterError, parseWith, REVOCATIONS_MAX } from '@veilcast/protocol';
import { z } from 'zod';

/** ML-DSA-65 public key, base64url. */
const Root = z.string().length(2603);

/** The JWK of `GET /api/authority` and the roots beside it; what else is in it is nobody's business here. */
const Authority = z.object({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string().length(43),
  root: Root,
  vouchers: z.array(Root).max(16).default([]),
  revocations: z.string().max(Math.ceil((REVOCATIONS_MAX * 4) / 3)),
});

/** Whose word is believed: of leaf keys, and of everything that is signed with ML-DSA-65. */
export interface TrustedAuthority {
  readonly key: AuthorityKey;
  /** Of the log's heads and of revocations. */
  readonly root: Uint8Array;
  /** Of bundles: one of these must have signed. */
  readonly vouchers: readonly Uint8Array[];
  /** The signed list of revoked devices, not checked yet. */
  readonly revocations: Uint8Array;
}

/** SHA-256 of roots, hexadecimal digits. */
export type AuthorityPin = string | readonly string[];

/**
 * Longest wait for the authority's key. After a cut the browser asks over a connection that it kept and that is dead, and
 * learns so only by our giving up. Shorter: slow phones never get in. Longer: a call takes longer to come back.
 */
const AUTHORITY_TIMEOUT_MS = 3_000;

function unreachable(cause: unknown): never {
  throw new ClusterError('DISCONNECTED', 'signaling cannot be reached', { cause });
}

/**
 * @param pin the roots whose bundles are believed; undefined takes those that signaling names
 * @throws ClusterError MALFORMED, DISCONNECTED, WRONG_AUTHORITY
 */
export async function fetchAuthority(url: string, pin?: AuthorityPin): Promise<TrustedAuthority> {
  const signal = AbortSignal.timeout(AUTHORITY_TIMEOUT_MS);
  const response = await fetch(new URL('/api/authority', url), { signal }).catch(unreachable);
  if (!response.ok) throw new ClusterError('DISCONNECTED', `authority: status ${response.status}`);
  const body: unknown = await response.json().catch((cause: unknown) => {
    if (signal.aborted) unreachable(cause);
  });
  return trustedOf(body, pin);
}

/** @throws ClusterError MALFORMED, WRONG_AUTHORITY when none of the roots is pinned */
export function trustedOf(body: unknown, pin?: AuthorityPin): TrustedAuthority {
  const { root: text, vouchers: texts, revocations, ...key } = parseWith(Authority, body);
  const root = fromBase64Url(text);
  const named = [root, ...texts.map((voucher) => fromBase64Url(voucher))];
  const pins = pin === undefined ? undefined : new Set([pin].flat().map((one) => one.toLowerCase()));
  const vouchers = named.filter((one) => pins?.has(hexNameOf(one)) ?? true);
  if (vouchers.length === 0) throw new ClusterError('WRONG_AUTHORITY');
  return { key, root, vouchers, revocations: fromBase64Url(revocations) };
}
