/**
 * Join tokens, whoever issued them: ours (EdDSA), a customer's backend with an API key (HS256, `iss` is the key's id), a customer's own
 * Authentication Service (EdDSA, `iss` and key by configuration). The algorithm is the issuer's and never the token's choice: a
 * secret verifies HS256 alone, a public key EdDSA alone (RFC 8725 §3.1).
 */
import { ClusterError, ParticipantId, RegionId, Role, RoomId, type Clock } from '@veilcast/protocol';
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify, type CryptoKey, type JWK } from 'jose';
import { z } from 'zod';

export const TOKEN_ALGORITHM = 'EdDSA';
const SHARED_ALGORITHM = 'HS256';
/** As in the protocol. */
const TOKEN_MAX = 8_192;
const TOKEN_ID_MAX = 64;
/** Furthest end of a token of others: an invitation for tomorrow. Longer: a stolen one opens doors for longer. */
const AHEAD_MS = 48 * 3_600_000;

/** Who may enter which Room as what. */
export interface TokenClaims {
  readonly room: RoomId;
  readonly sub: ParticipantId;
  readonly role: Role;
  /** SHA-256 of the one device key that may use it, base64url. Without it the token is an invitation: the first device's. */
  readonly device?: string;
  /** The only regions that the Room may be in, each once, in order. Missing: wherever the cluster has it. */
  readonly regions?: readonly RegionId[];
}

export interface JoinClaims extends TokenClaims {
  /** Unique among all issuers. */
  readonly tokenId: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
  /** ML-DSA-65 root under which its issuer vouches for devices itself; undefined: we do. */
  readonly voucher?: Uint8Array;
}

export const ApiKey = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/)
    .describe('The `iss` of its tokens.'),
  secret: z.string().min(32).max(256).describe('Shared with the customer, at least 32 characters. Never logged.'),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** A customer's own Authentication Service. */
export const Issuer = z.strictObject({
  iss: z.string().min(1).max(256),
  key: z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string().length(43) }),
  root: z
    .string()
    .regex(/^[A-Za-z0-9_-]{2603}$/)
    .optional()
    .describe('Its ML-DSA-65 public key, base64url: it signs the bundles of its people itself, and nobody else does.'),
});
export type Issuer = z.infer<typeof Issuer>;

export interface TokenIssuers {
  readonly own: CryptoKey;
  readonly apiKeys: readonly ApiKey[];
  readonly issuers: readonly Issuer[];
}

const REGIONS_MAX = 64;
/** One list has one form, so that tokens of a Room can be compared. None at all would be a Room that may be nowhere. */
export const TokenRegions = z
  .array(RegionId)
  .min(1)
  .max(REGIONS_MAX)
  .transform((regions) => [...new Set(regions)].sort());

const Confirmation = z.object({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) });
/** RFC 7519; `cnf` of RFC 7800. */
const Claims = z.object({
  room: RoomId,
  sub: ParticipantId,
  role: Role,
  exp: z.number(),
  jti: z.string().min(1).max(TOKEN_ID_MAX),
  cnf: Confirmation.optional(),
  regions: TokenRegions.optional(),
  iss: z.string().max(256).optional(),
});

interface Verifying {
  readonly key: CryptoKey | Uint8Array;
  readonly algorithm: string;
  readonly voucher?: Uint8Array;
}

/** @returns a function that throws ClusterError UNAUTHORIZED, whatever is wrong: a stranger learns nothing from the reason */
export async function tokenVerifier({ own, apiKeys, issuers }: TokenIssuers, clock: Clock) {
  const shared = new Map(apiKeys.map(({ id, secret }) => [id, new TextEncoder().encode(secret)]));
  const foreign = new Map<string, Verifying>();
  for (const { iss, key, root } of issuers) {
    const verified = (await importJWK(key as JWK, TOKEN_ALGORITHM)) as CryptoKey;
    const voucher = root === undefined ? {} : { voucher: rootOf(root) };
    foreign.set(iss, { key: verified, algorithm: TOKEN_ALGORITHM, ...voucher });
  }
  const verifying = (token: string): Verifying | undefined => {
    const { iss } = decodeJwt(token);
    const { alg } = decodeProtectedHeader(token);
    if (alg === SHARED_ALGORITHM) {
      const key = iss === undefined ? undefined : shared.get(iss);
      return key && { key, algorithm: SHARED_ALGORITHM };
    }
    return iss === undefined ? { key: own, algorithm: TOKEN_ALGORITHM } : foreign.get(iss);
  };
  return async (token: string): Promise<JoinClaims> => {
    try {
      const by = token.length > TOKEN_MAX ? undefined : verifying(token);
      if (by === undefined) throw new ClusterError('UNAUTHORIZED');
      const { payload } = await jwtVerify(token, by.key, {
        algorithms: [by.algorithm],
        typ: 'JWT',
        currentDate: new Date(clock.now()),
      });
      return { ...joinClaims(payload, clock.now()), ...(by.voucher && { voucher: by.voucher }) };
    } catch {
      // The cause stays out: jose's errors quote the payload.
      throw new ClusterError('UNAUTHORIZED');
    }
  };
}

/** ML-DSA-65 public key of an issuer. */
export function rootOf(root: string): Uint8Array {
  return new Uint8Array(Buffer.from(root, 'base64url'));
}

/** @throws ZodError, ClusterError */
function joinClaims(payload: unknown, now: number): JoinClaims {
  const { room, sub, role, exp, jti, cnf, regions, iss } = Claims.parse(payload);
  const expiresAt = exp * 1_000;
  if (iss !== undefined && expiresAt > now + AHEAD_MS) throw new ClusterError('UNAUTHORIZED');
  const tokenId = iss === undefined ? jti : `${iss}/${jti}`;
  return { room, sub, role, tokenId, expiresAt, ...(cnf ? { device: cnf.jkt } : {}), ...(regions ? { regions } : {}) };
}
