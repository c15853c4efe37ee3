/**
 * What an operator's cluster keeps secret, in a folder that stays with the operator: made once, kept when hosts are laid out
 * again. The root of the channel never leaves it; each signaling gets a key of its own and a manifest that the root signed.
 */
import { MANIFEST_LIFE_MAX_S, pinOf, signManifest } from '@veilcast/e2ee/channel';
import { keyEncapsulation, signatures } from '@veilcast/e2ee/pq';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { kept, seed, signingKey } from '../secret-files.ts';

/** Clients' clocks are off. */
const CLOCK_SLACK_S = 3_600;

export interface Secrets {
  readonly password: string;
  /** What signaling signs credentials for the TURN servers with; a line each. */
  readonly turn: string;
  /** A private Ed25519 JWK. */
  readonly authorityKey: string;
  /** 32 bytes, base64url. */
  readonly authorityRoot: string;
  /** SHA-256 of the channel's root, hexadecimal: what clients pin. */
  readonly pin: string;
  /** The file of a signaling's channel key, with a manifest from `now` on for seven days. */
  channelKey(id: string, now: number): Promise<string>;
}

export async function openSecrets(folder: string): Promise<Secrets> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const once = (name: string, make: () => string): Promise<string> => kept(join(folder, name), make);
  const root = await signatures.fromSeed(Buffer.from(await once('channel.root', seed), 'base64url'));
  return {
    password: await once('store.password', () => randomBytes(24).toString('base64url')),
    turn: await once('turn.secrets', seed),
    authorityKey: await once('authority.jwk', signingKey),
    authorityRoot: await once('authority.root', seed),
    pin: Buffer.from(pinOf(root.publicKey)).toString('hex'),
    async channelKey(id, now) {
      const kemSeed = Buffer.from(await once(`channel-${id}.seed`, seed), 'base64url');
      const { publicKey } = await keyEncapsulation.fromSeed(kemSeed);
      const notBefore = Math.floor(now / 1_000) - CLOCK_SLACK_S;
      const claims = { v: 1, id, notBefore, expiry: notBefore + MANIFEST_LIFE_MAX_S } as const;
      const manifest = Buffer.from(await signManifest(root, publicKey, claims)).toString('base64');
      return JSON.stringify({ seed: kemSeed.toString('hex'), manifest });
    },
  };
}
