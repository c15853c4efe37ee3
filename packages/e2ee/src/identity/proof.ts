/** What a device sends with its join: its key, and its statement that this leaf key is its own in this Room with this token. */
import { RoomId } from '@veilcast/protocol';
import { z } from 'zod';
import { fromBase64Url } from '../base64url.ts';
import { signatures, type SigningKey } from '../pq/index.ts';
import { encodeProof } from './attestation.ts';
import { DEVICE_ID_BYTES } from './bundle.ts';
import { signStatement, tokenBinding } from './statement.ts';

/** How long a device stands by a leaf key: the longest call. */
const STATEMENT_TTL_MS = 24 * 3_600_000;

export interface Device extends SigningKey {
  /** 16 bytes, chosen once; they stay when the key is rotated. */
  readonly device: Uint8Array;
  /** Made for this visit and forgotten after it. */
  readonly guest: boolean;
}

/** A new one in memory alone. */
export async function newDevice(): Promise<Device> {
  const device = crypto.getRandomValues(new Uint8Array(DEVICE_ID_BYTES));
  return { ...(await signatures.generate()), device, guest: true };
}

const OwnToken = z.object({ room: RoomId });

export interface Joining {
  readonly token: string;
  /** Ed25519 public key of the leaf. */
  readonly leaf: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** The Room is the token's: we believe our own, signaling checks it. @throws TypeError for what is no token */
export async function proveDevice(device: Device, { token, leaf, now }: Joining): Promise<Uint8Array<ArrayBuffer>> {
  const room = roomOf(token);
  const expiresAt = Math.floor(now) + STATEMENT_TTL_MS;
  const claims = { guest: device.guest, device: device.device, room, leaf, binding: tokenBinding(token), expiresAt };
  return encodeProof({ key: device.publicKey, statement: await signStatement(claims, device) });
}

function roomOf(token: string): RoomId {
  try {
    const payload = new TextDecoder().decode(fromBase64Url(token.split('.')[1] ?? ''));
    return OwnToken.parse(JSON.parse(payload)).room;
  } catch (cause) {
    throw new TypeError('no join token', { cause });
  }
}
