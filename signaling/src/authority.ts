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
import type { Clock } from '@veilcast/protocol';
import {
  calculateJwkThumbprint,
  CompactSign,
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  type CryptoKey,
  type JWK,
} from 'jose';
import { randomUUID } from 'node:crypto';
import { base64Url } from './bytes.ts';
import { z } from 'zod';
import {
  TOKEN_ALGORITHM,
  tokenVerifier,
  type ApiKey,
  type Issuer,
  type JoinClaims,
  type TokenClaims,
} from './tokens.ts';

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
  /** Of customers' Authentication Services that sign bundles themselves. */
  readonly vouchers: readonly string[];
}

export interface AuthorityOptions {
  readonly clock: Clock;
  readonly tokenTtlMs: number;
  readonly credentialTtlMs: number;
  /** A private Ed25519 JWK; a new key is made where there is none. */
  readonly key?: JWK;
  /** The 32-byte seed of the ML-DSA-65 root; a new one is made where there is none. */
  readonly rootSeed?: Uint8Array;
  /** Of customers whose backends issue tokens. */
  readonly apiKeys?: readonly ApiKey[];
  /** Customers' own Authentication Services, whose tokens are taken. */
  readonly issuers?: readonly Issuer[];
}

const PrivateJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() });

/** @throws ZodError when the given key is not a private Ed25519 JWK */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const { clock, tokenTtlMs, credentialTtlMs } = options;
  const jwk = options.key === undefined ? await newKey() : PrivateJwk.parse(options.key);
  const privateKey = await importJWK(jwk, TOKEN_ALGORITHM);
  const open: JWK = { kty: 'OKP', crv: 'Ed25519', x: jwk.x, alg: TOKEN_ALGORITHM, use: 'sig' };
  const own = (await importJWK(open, TOKEN_ALGORITHM)) as CryptoKey;
  const { apiKeys = [], issuers = [] } = options;
  const verifyToken = await tokenVerifier({ own, apiKeys, issuers }, clock);
  const kid = await calculateJwkThumbprint(open);
  const root = await (options.rootSeed === undefined ? signatures.generate() : signatures.fromSeed(options.rootSeed));
  const vouchers = issuers.flatMap((issuer) => issuer.root ?? []);
  const document: AuthorityDocument = { ...open, kid, root: base64Url(root.publicKey), vouchers };
  const expiry = (ttlMs: number): number => Math.floor((clock.now() + ttlMs) / 1_000);

  return {
    issueToken: ({ room, sub, role, device, regions }) =>
      new SignJWT({
        room,
        role,
        ...(device === undefined ? {} : { cnf: { jkt: device } }),
        ...(regions && { regions }),
      })
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: 'JWT', kid })
        .setSubject(sub)
        .setJti(randomUUID())
        .setExpirationTime(expiry(tokenTtlMs))
        .sign(privateKey),
    verifyToken,
    signLeaf: (claims) => {
      const credential: CredentialClaims = { v: 2, ...claims, exp: expiry(credentialTtlMs) };
      return new CompactSign(new TextEncoder().encode(JSON.stringify(credential)))
        .setProtectedHeader({ alg: TOKEN_ALGORITHM, typ: 'veilcast-leaf', kid })
        .sign(privateKey);
    },
    signBundle: (claims) => signBundle(claims, root),
    signHead: (claims) => signHead(claims, root),
    signRevocations: (claims) => signRevocations(claims, root),
    publicKey: () => document,
  };
}

async function newKey(): Promise<z.output<typeof PrivateJwk>> {
  const pair = await generateKeyPair(TOKEN_ALGORITHM, { crv: 'Ed25519', extractable: true });
  return PrivateJwk.parse(await exportJWK(pair.privateKey));
}
