/**
 * The Authentication Service (RFC 9750 §4) behind an interface, so that a customer's own can take its place: it issues
 * and verifies join tokens, and signs what members check: leaf credentials with Ed25519, bundles, revocations and heads of the
 * log with its ML-DSA-65 root. It holds its own signing keys and no other (DESIGN §5, Identity; ADR 0011).
 */
import type { CredentialClaims } from '@veilcast/e2ee';
import {
  signBundle,
  signHead,
  signRevocations,
  type BundleClaims,
  type LogHeadClaims,
  type RevocationClaims,
} from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { ClusterError, ParticipantId, Role, RoomId, type Clock } from '@veilcast/protocol';
import {
  calculateJwkThumbprint,
  CompactSign,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  SignJWT,
  type JWK,
} from 'jose';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

const ALGORITHM = 'EdDSA';

/** Who may enter which Room as what. */
export interface TokenClaims {
  readonly room: RoomId;
  readonly sub: ParticipantId;
  readonly role: Role;
  /** SHA-256 of the one device key that may use it, base64url. Without it the token is an invitation: the first device's. */
  readonly device?: string;
}

export interface JoinClaims extends TokenClaims {
  /** Unique for each token of one issuer. */
  readonly tokenId: string;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** What a leaf credential says: this leaf key is this Peer of this Participant in this Room. */
export type LeafClaims = Omit<CredentialClaims, 'v' | 'exp'>;

export interface Authority {
  issueToken(claims: TokenClaims): Promise<string>;
  /** @throws ClusterError UNAUTHORIZED */
  verifyToken(token: string): Promise<JoinClaims>;
  /** A compact JWS over `{v: 2, …claims, exp}`. */
  signLeaf(claims: LeafClaims): Promise<string>;
  signBundle(claims: BundleClaims): Promise<Uint8Array>;
  signHead(claims: LogHeadClaims): Promise<Uint8Array>;
  signRevocations(claims: RevocationClaims): Promise<Uint8Array>;
  publicKey(): AuthorityDocument;
}

/** What `GET /api/authority` answers: the Ed25519 key as a JWK, and beside it the root. */
export interface AuthorityDocument extends JWK {
  /** ML-DSA-65 public key, base64url. */
  readonly root: string;
}

export interface AuthorityOptions {
  readonly clock: Clock;
  readonly tokenTtlMs: number;
  readonly credentialTtlMs: number;
  /** A private Ed25519 JWK; a new key is made where there is none. */
  readonly key?: JWK;
  /** The 32-byte seed of the ML-DSA-65 root; a new one is made where there is none. */
  readonly rootSeed?: Uint8Array;
}

const TOKEN_ID_MAX = 64;
const Confirmation = z.object({ jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/) });
/** What a token says, whoever issued it (RFC 7519; `cnf` of RFC 7800). */
const Claims = z.object({
  room: RoomId,
  sub: ParticipantId,
  role: Role,
  exp: z.number(),
  jti: z.string().min(1).max(TOKEN_ID_MAX),
  cnf: Confirmation.optional(),
});
const PrivateJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() });

/** @throws ZodError when the given key is not a private Ed25519 JWK */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const { clock, tokenTtlMs, credentialTtlMs } = options;
  const jwk = options.key === undefined ? await newKey() : PrivateJwk.parse(options.key);
  const privateKey = await importJWK(jwk, ALGORITHM);
  const open: JWK = { kty: 'OKP', crv: 'Ed25519', x: jwk.x, alg: ALGORITHM, use: 'sig' };
  const publicKey = await importJWK(open, ALGORITHM);
  const kid = await calculateJwkThumbprint(open);
  const root = await (options.rootSeed === undefined ? signatures.generate() : signatures.fromSeed(options.rootSeed));
  const document: AuthorityDocument = { ...open, kid, root: Buffer.from(root.publicKey).toString('base64url') };
  const expiry = (ttlMs: number): number => Math.floor((clock.now() + ttlMs) / 1_000);

  return {
    issueToken: ({ room, sub, role, device }) =>
      new SignJWT({ room, role, ...(device === undefined ? {} : { cnf: { jkt: device } }) })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
        .setSubject(sub)
        .setJti(randomUUID())
        .setExpirationTime(expiry(tokenTtlMs))
        .sign(privateKey),
    verifyToken: async (token) => {
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: [ALGORITHM],
          typ: 'JWT',
          currentDate: new Date(clock.now()),
        });
        return joinClaims(payload);
      } catch {
        // The cause stays out: jose's errors quote the payload.
        throw new ClusterError('UNAUTHORIZED');
      }
    },
    signLeaf: (claims) => {
      const credential: CredentialClaims = { v: 2, ...claims, exp: expiry(credentialTtlMs) };
      return new CompactSign(new TextEncoder().encode(JSON.stringify(credential)))
        .setProtectedHeader({ alg: ALGORITHM, typ: 'veilcast-leaf', kid })
        .sign(privateKey);
    },
    signBundle: (claims) => signBundle(claims, root),
    signHead: (claims) => signHead(claims, root),
    signRevocations: (claims) => signRevocations(claims, root),
    publicKey: () => document,
  };
}

/** @throws ZodError */
function joinClaims(payload: unknown): JoinClaims {
  const { room, sub, role, exp, jti, cnf } = Claims.parse(payload);
  return { room, sub, role, tokenId: jti, expiresAt: exp * 1_000, ...(cnf ? { device: cnf.jkt } : {}) };
}

async function newKey(): Promise<z.output<typeof PrivateJwk>> {
  const pair = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  return PrivateJwk.parse(await exportJWK(pair.privateKey));
}
