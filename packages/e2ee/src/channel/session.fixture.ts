/** Two ends of a channel, and everything that goes into them from seeds, for tests and for the frozen vectors. */
import { RegionId } from '@veilcast/protocol';
import { shake256 } from '@noble/hashes/sha3.js';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { nobleKeyEncapsulation, nobleSignatures } from '../pq/noble.ts';
import type { KeyEncapsulation, SigningKey } from '../pq/index.ts';
import { webCipher } from './aead.ts';
import { utf8 } from './bytes.ts';
import { ClientChannel, ServerChannel } from './channel.ts';
import { ClientHandshake } from './client-handshake.ts';
import { openManifest, pinOf, signManifest, type Manifest, type ManifestClaims } from './manifest.ts';
import type { HandshakePorts, Psk } from './ports.ts';
import { Resumptions } from './resumption.ts';
import { ServerHandshake, type Presented } from './server-handshake.ts';
import type { TrafficSecrets } from './schedule.ts';

export const NOW = 1_800_000_000_000;

/** The seed of this name. */
export function seedOf(name: string, bytes = 32): Uint8Array {
  return shake256(utf8(`veilcast/1 vector ${name}`), { dkLen: bytes });
}

/** Signs without randomness, as vectors need it (FIPS 204 §3.4). */
export async function steadyKey(seed: Uint8Array): Promise<SigningKey> {
  const { publicKey, secretKey } = ml_dsa65.keygen(seed);
  return {
    publicKey,
    sign: async (message, context) =>
      ml_dsa65.sign(message, secretKey, { context: utf8(context), extraEntropy: false }),
  };
}

/** What is drawn: `drawn[i]` is the seed of the i-th draw. */
export function steadyPorts(name: string): HandshakePorts & { readonly drawn: Uint8Array[] } {
  const drawn: Uint8Array[] = [];
  const draw = (bytes: number): Uint8Array => {
    const seed = seedOf(`${name} ${drawn.length}`, bytes);
    drawn.push(seed.slice());
    return seed;
  };
  const keyEncapsulation: KeyEncapsulation = {
    ...nobleKeyEncapsulation,
    encapsulate: async (publicKey) => {
      try {
        return ml_kem768_x25519.encapsulate(publicKey, draw(64));
      } catch (cause) {
        throw new RangeError('no X-Wing key', { cause });
      }
    },
  };
  return { keyEncapsulation, signatures: nobleSignatures, random: draw, drawn };
}

export interface World {
  readonly root: SigningKey;
  readonly device: SigningKey;
  readonly document: Uint8Array;
  readonly pin: Uint8Array;
  readonly manifest: Manifest;
  readonly resumptions: Resumptions;
  client(psk?: Psk): ClientHandshake;
  server(): ServerHandshake;
}

export const CLAIMS: ManifestClaims = {
  v: 1,
  id: 'development',
  regions: [RegionId.parse('eu')],
  notBefore: NOW / 1_000,
  expiry: NOW / 1_000 + 86_400,
};

/** `name` names the seeds; two worlds of one name are one. */
export async function openWorld(name = 'world'): Promise<World & { clientPorts: Drawn; serverPorts: Drawn }> {
  const root = await steadyKey(seedOf(`${name} root`));
  const device = await steadyKey(seedOf(`${name} device`));
  const kemKey = await nobleKeyEncapsulation.fromSeed(seedOf(`${name} kem`));
  const document = await signManifest(root, kemKey.publicKey, CLAIMS);
  const pin = pinOf(root.publicKey);
  const manifest = await openManifest(document, pin, NOW, nobleSignatures);
  const resumptions = new Resumptions(8);
  const [clientPorts, serverPorts] = [steadyPorts(`${name} client`), steadyPorts(`${name} server`)];
  return {
    root,
    device,
    document,
    pin,
    manifest,
    resumptions,
    clientPorts,
    serverPorts,
    client: (psk) => new ClientHandshake({ ...clientPorts, manifest, ...(psk ? { psk } : {}) }),
    server: () =>
      new ServerHandshake({
        ...serverPorts,
        kemKey,
        signed: [manifest.signed],
        takePsk: (id) => resumptions.take(id, NOW),
        now: () => NOW,
      }),
  };
}
type Drawn = ReturnType<typeof steadyPorts>;

export interface Session {
  readonly m1: Uint8Array;
  readonly m2: Uint8Array;
  readonly m3: Uint8Array;
  readonly presented: Presented;
  readonly secrets: TrafficSecrets;
}

export async function shake(world: World, psk?: Psk): Promise<Session> {
  const client = world.client(psk);
  const server = world.server();
  const m1 = await client.start();
  const m2 = await server.greet(m1);
  const { m3, secrets } = await client.receive(m2, world.device);
  return { m1, m2, m3, secrets, presented: await server.receive(m3) };
}

export function channels({ secrets, presented }: Session) {
  return {
    client: new ClientChannel(secrets, webCipher, NOW),
    server: new ServerChannel(presented.secrets, webCipher, NOW),
  };
}

/** The code of what was thrown, or that nothing was. */
export async function codeOf(attempt: () => unknown): Promise<string> {
  try {
    await attempt();
    return 'taken';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : `threw ${String(error)}`;
  }
}

export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  const index = at < 0 ? bytes.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}
