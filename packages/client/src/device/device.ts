/** This browser's identity: made at its first use, kept, shown, exported, rotated and revoked. */
import { DEVICE_ID_BYTES, openDevice, sealDevice, signSelfRevocation } from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { ClusterError, WireError } from '@veilcast/protocol';
import { z } from 'zod';
import { guestIdentity, identityOf, type Identity } from './identity.ts';
import { identityDb, type StoredDevice } from './store.ts';

const SEED_BYTES = 32;
const NONCE_BYTES = 12;
/** Longest wait for signaling to take a revocation. */
const REVOKE_TIMEOUT_MS = 5_000;

/** An identity that this browser keeps. */
export interface DeviceIdentity extends Identity {
  /** The identity in one line of text under a passphrase (scrypt, AES-256-GCM). */
  export(passphrase: string): Promise<string>;
  /** A new key for the same device. The old one goes on in calls that it is in; others see a changed safety number. */
  rotate(): Promise<DeviceIdentity>;
  /** Tells signaling never to believe this key again, and forgets it. @throws ClusterError */
  revoke(url: string): Promise<void>;
}

let own: Promise<DeviceIdentity> | undefined;

/** This browser's identity; made and kept when there is none yet. @throws DOMException where the browser keeps nothing */
export function deviceIdentity(): Promise<DeviceIdentity> {
  own ??= load();
  own.catch(() => (own = undefined));
  return own;
}

/** The one that the browser keeps, or else a guest's: nobody stays outside for lack of storage. */
export async function ownIdentity(): Promise<Identity> {
  return deviceIdentity().catch(() => {
    guest ??= guestIdentity();
    return guest;
  });
}

/** One while the page lives: a channel and the join in it are the same device's. */
let guest: Promise<Identity> | undefined;

/** Replaces this browser's identity by an exported one. @throws ClusterError MALFORMED for a wrong passphrase or another text */
export async function importDeviceIdentity(text: string, passphrase: string): Promise<DeviceIdentity> {
  const secret = await openDevice(text, passphrase);
  if (secret === undefined) throw new ClusterError('MALFORMED', 'a wrong passphrase, or no exported identity');
  return keep(secret.device, secret.seed);
}

async function load(): Promise<DeviceIdentity> {
  const db = await identityDb();
  const stored = await db.get('device', 'own');
  if (stored !== undefined) return fromStored(stored);
  const made = await storedOf(randomBytes(DEVICE_ID_BYTES), randomBytes(SEED_BYTES));
  // Another tab may have been first.
  const tx = db.transaction('device', 'readwrite');
  const first = (await tx.store.get('own')) ?? made;
  await tx.store.put(first, 'own');
  await tx.done;
  return fromStored(first);
}

/** Replaces what is kept. */
function keep(device: Uint8Array, seed: Uint8Array): Promise<DeviceIdentity> {
  own = storedOf(device, seed).then(async (stored) => {
    await (await identityDb()).put('device', stored, 'own');
    return fromStored(stored);
  });
  return own;
}

async function storedOf(device: Uint8Array, seed: Uint8Array): Promise<StoredDevice> {
  const wrap = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const nonce = randomBytes(NONCE_BYTES);
  const sealed = await crypto.subtle.encrypt(parameters(nonce, device), wrap, seed.slice());
  seed.fill(0);
  return { v: 1, device, wrap, nonce, sealed: new Uint8Array(sealed) };
}

async function seedOf({ wrap, nonce, sealed, device }: StoredDevice): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.decrypt(parameters(nonce, device), wrap, sealed));
}

async function fromStored(stored: StoredDevice): Promise<DeviceIdentity> {
  const seed = await seedOf(stored);
  const key = await signatures.fromSeed(seed);
  seed.fill(0);
  return {
    ...identityOf({ ...key, device: stored.device, guest: false }),
    async export(passphrase) {
      const secret = { device: stored.device, seed: await seedOf(stored) };
      try {
        return await sealDevice(secret, passphrase, { random: randomBytes });
      } finally {
        secret.seed.fill(0);
      }
    },
    rotate: () => keep(stored.device, randomBytes(SEED_BYTES)),
    async revoke(url) {
      await sendRevocation(url, await signSelfRevocation(key, Date.now()));
      await (await identityDb()).delete('device', 'own');
      own = undefined;
    },
  };
}

async function sendRevocation(url: string, revocation: Uint8Array): Promise<void> {
  const response = await fetch(new URL('/api/revocations', url), {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: revocation.slice(),
    signal: AbortSignal.timeout(REVOKE_TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw new ClusterError('DISCONNECTED', 'signaling cannot be reached', { cause });
  });
  if (response.ok) return;
  const told = z.object({ error: WireError }).safeParse(await response.json().catch(() => undefined));
  throw told.success ? ClusterError.fromWire(told.data.error) : new ClusterError('INTERNAL');
}

function parameters(iv: Uint8Array<ArrayBuffer>, device: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv, additionalData: device.slice() };
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}
