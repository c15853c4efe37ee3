/**
 * The identity that a device speaks with in calls: an ML-DSA-65 key of its own making (ADR 0011). A browser keeps one in IndexedDB
 * (`deviceIdentity`); a guest has one for the visit; a bot in Node brings its own.
 */
import { DEVICE_ID_BYTES, fingerprintOf, newDevice, proveDevice, type Device } from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { ClusterError } from '@veilcast/protocol';

export interface Identity {
  /** 16 bytes, chosen once; they stay when the key is rotated. */
  readonly device: Uint8Array;
  /** ML-DSA-65 public key. */
  readonly publicKey: Uint8Array;
  /** For people: twelve groups of four hexadecimal digits. */
  readonly fingerprint: string;
  /** Made for this visit and forgotten after it. */
  readonly guest: boolean;
  /** @param context keeps what is signed for one purpose from another (FIPS 204 §5.2) */
  sign(message: Uint8Array, context: string): Promise<Uint8Array>;
}

export function identityOf(device: Device): Identity {
  return { ...device, fingerprint: fingerprintOf(device.publicKey) };
}

/** A new one in memory alone. */
export async function guestIdentity(): Promise<Identity> {
  return identityOf(await newDevice());
}

/** One that is kept elsewhere: of a bot, say. @throws RangeError for a seed of other than 32 bytes, a device of other than 16 */
export async function identityFromSeed(seed: Uint8Array, device: Uint8Array): Promise<Identity> {
  if (device.length !== DEVICE_ID_BYTES) throw new RangeError('a device id has 16 bytes');
  return identityOf({ ...(await signatures.fromSeed(seed)), device, guest: false });
}

/** What goes along with a join. @throws ClusterError UNAUTHORIZED for a token that is none */
export async function deviceProof(identity: Identity, joining: Parameters<typeof proveDevice>[1]): Promise<Uint8Array> {
  try {
    return await proveDevice(identity, joining);
  } catch (cause) {
    if (cause instanceof TypeError) throw new ClusterError('UNAUTHORIZED', 'this is no join token', { cause });
    throw cause;
  }
}
