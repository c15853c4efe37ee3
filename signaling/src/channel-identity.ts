/**
 * Who this server is to clients: its X-Wing key, and the manifest in which an ML-DSA-65 root says so (ADR 0013). In production the root
 * is offline and both come from a file; without one a root is made at start, good for development.
 */
import { MANIFEST_LIFE_MAX_S, openManifest, pinOf, rootOf, signManifest } from '@veilcast/e2ee/channel';
import { keyEncapsulation, signatures, type KemKey } from '@veilcast/e2ee/pq';
import type { Clock } from '@veilcast/protocol';
import type { SignalingConfig } from './config.ts';
import { readSeed } from './seed.ts';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** A manifest made here is followed by another when half of its life is over. */
const RENEW_AFTER_MS = (MANIFEST_LIFE_MAX_S * 1_000) / 2;
/** How often the file of an operator is looked at again, while somebody asks. */
const READ_AGAIN_MS = 60_000;
/** Clients' clocks are off. */
const CLOCK_SLACK_S = 3_600;

export interface ChannelIdentity {
  readonly kemKey: KemKey;
  /** SHA-256 of the root, hexadecimal: what a client pins. */
  readonly pin: string;
  /** The manifest of now, for clients. */
  document(): Promise<Uint8Array>;
  /** What was signed of it and of the one before. */
  signed(): readonly Uint8Array[];
}

const KeyFile = z.strictObject({
  /** X-Wing seed, hexadecimal. */
  seed: z.string().regex(/^[0-9a-f]{64}$/),
  /** The manifest's document, base64. */
  manifest: z.base64().max(16_384),
});

/** As the config says. @throws as `loadChannelIdentity` */
export async function channelIdentity(
  { channelKeyFile, channelRootFile, cluster }: Pick<SignalingConfig, 'channelKeyFile' | 'channelRootFile' | 'cluster'>,
  clock: Clock,
): Promise<ChannelIdentity> {
  if (channelKeyFile !== undefined) return loadChannelIdentity(channelKeyFile, clock);
  return developmentIdentity(cluster, clock, channelRootFile);
}

/**
 * The key stays; the manifest in the file is renewed by the operator, week by week, and read again. One that cannot be used is
 * left alone: clients go on with the one before until it ends.
 * @throws ZodError, ClusterError MANIFEST_INVALID, OVERSIZE, or what reading a file throws
 */
async function loadChannelIdentity(path: string, clock: Clock): Promise<ChannelIdentity> {
  const read = async () => {
    const { seed, manifest } = KeyFile.parse(JSON.parse(await readFile(path, 'utf8')));
    const document = new Uint8Array(Buffer.from(manifest, 'base64'));
    const pin = pinOf(rootOf(document));
    const { kemPublicKey, signed } = await openManifest(document, pin, clock.now(), signatures);
    const kemKey = await keyEncapsulation.fromSeed(Buffer.from(seed, 'hex'));
    if (!Buffer.from(kemKey.publicKey).equals(kemPublicKey)) throw new Error('the manifest is of another key');
    return { kemKey, pin: Buffer.from(pin).toString('hex'), document, signed };
  };
  const { kemKey, pin, ...first } = await read();
  let [present, readAt] = [first, clock.now()];
  let signed: readonly Uint8Array[] = [first.signed];
  const readAgain = async (): Promise<void> => {
    readAt = clock.now();
    const next = await read().catch(() => undefined);
    if (next?.pin !== pin || Buffer.from(next.signed).equals(present.signed)) return;
    if (!Buffer.from(next.kemKey.publicKey).equals(kemKey.publicKey)) return;
    signed = [next.signed, present.signed];
    present = next;
  };
  return {
    kemKey,
    pin,
    document: async () => {
      if (clock.now() - readAt >= READ_AGAIN_MS) await readAgain();
      return present.document;
    },
    signed: () => signed,
  };
}

/** With a root that lives and dies with this process, or one whose seed several processes of a development cluster have. */
export async function developmentIdentity(id: string, clock: Clock, rootFile?: string): Promise<ChannelIdentity> {
  const seed = rootFile === undefined ? undefined : await readSeed(rootFile);
  const made = seed === undefined ? signatures.generate() : signatures.fromSeed(seed);
  const [root, kemKey] = await Promise.all([made, keyEncapsulation.generate()]);
  const pin = pinOf(root.publicKey);
  let signedAt = 0;
  let signed: readonly Uint8Array[] = [];
  let document: Uint8Array = new Uint8Array();
  const renew = async (now: number): Promise<void> => {
    signedAt = now;
    const notBefore = Math.floor(now / 1_000) - CLOCK_SLACK_S;
    const expiry = notBefore + MANIFEST_LIFE_MAX_S;
    document = await signManifest(root, kemKey.publicKey, { v: 1, id, notBefore, expiry });
    signed = [(await openManifest(document, pin, now, signatures)).signed, ...signed.slice(0, 1)];
  };
  await renew(clock.now());
  return {
    kemKey,
    pin: Buffer.from(pin).toString('hex'),
    document: async () => {
      if (clock.now() - signedAt >= RENEW_AFTER_MS) await renew(clock.now());
      return document;
    },
    signed: () => signed,
  };
}
