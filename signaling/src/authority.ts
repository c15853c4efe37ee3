/**
 * The Authentication Service (RFC 9750 §4) behind an interface, so that a customer's own can take its place: it issues
 * and verifies join tokens, and signs the leaf credential that every member of a group checks with the public key.
 * It holds its own signing key and no other (DESIGN §5, Identity).
 */
import type { CredentialClaims } from '@veilcast/e2ee';
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
import { z } from 'zod';

const ALGORITHM = 'EdDSA';

/** Who may enter which Room as what. */
export interface JoinClaims {
  readonly room: RoomId;
  readonly sub: ParticipantId;
  readonly role: Role;
}

/** What a leaf credential says: this leaf key is this Peer of this Participant in this Room. */
export type LeafClaims = Omit<CredentialClaims, 'v' | 'exp'>;

export interface Authority {
  issueToken(claims: JoinClaims): Promise<string>;
  /** @throws ClusterError UNAUTHORIZED */
  verifyToken(token: string): Promise<JoinClaims>;
  /** A compact JWS over `{v: 1, …claims, exp}`. */
  signLeaf(claims: LeafClaims): Promise<string>;
  publicKey(): JWK;
}

export interface AuthorityOptions {
  readonly clock: Clock;
  readonly tokenTtlMs: number;
  readonly credentialTtlMs: number;
  /** A private Ed25519 JWK; a new key is made where there is none. */
  readonly key?: JWK;
}

const Claims = z.object({ room: RoomId, sub: ParticipantId, role: Role, exp: z.number() });
const PrivateJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() });

/** @throws ZodError when the given key is not a private Ed25519 JWK */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const { clock, tokenTtlMs, credentialTtlMs } = options;
  const jwk = options.key === undefined ? await newKey() : PrivateJwk.parse(options.key);
  const privateKey = await importJWK(jwk, ALGORITHM);
  const open: JWK = { kty: 'OKP', crv: 'Ed25519', x: jwk.x, alg: ALGORITHM, use: 'sig' };
  const publicKey = await importJWK(open, ALGORITHM);
  const kid = await calculateJwkThumbprint(open);
  const expiry = (ttlMs: number): number => Math.floor((clock.now() + ttlMs) / 1_000);

  return {
    issueToken: ({ room, sub, role }) =>
      new SignJWT({ room, role })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid })
        .setSubject(sub)
        .setExpirationTime(expiry(tokenTtlMs))
        .sign(privateKey),
    verifyToken: async (token) => {
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          algorithms: [ALGORITHM],
          typ: 'JWT',
          currentDate: new Date(clock.now()),
        });
        const { room, sub, role } = Claims.parse(payload);
        return { room, sub, role };
      } catch {
        // The cause stays out: jose's errors quote the payload.
        throw new ClusterError('UNAUTHORIZED');
      }
    },
    signLeaf: (claims) => {
      const credential: CredentialClaims = { v: 1, ...claims, exp: expiry(credentialTtlMs) };
      return new CompactSign(new TextEncoder().encode(JSON.stringify(credential)))
        .setProtectedHeader({ alg: ALGORITHM, typ: 'veilcast-leaf', kid })
        .sign(privateKey);
    },
    publicKey: () => ({ ...open, kid }),
  };
}

async function newKey(): Promise<z.output<typeof PrivateJwk>> {
  const pair = await generateKeyPair(ALGORITHM, { crv: 'Ed25519', extractable: true });
  return PrivateJwk.parse(await exportJWK(pair.privateKey));
}
