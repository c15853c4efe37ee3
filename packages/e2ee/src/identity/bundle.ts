/**
 * The bundle: the Authentication Service's word, signed with ML-DSA-65 and good for about a day, that a device key is a
 * user's (DESIGN §5, Identity; ADR 0011).
 *
 * `u8 version=1 | text user | device[16] | key[1952] | u64 issuedAt | u64 expiresAt | signature[3309]`; the signature is over
 * all before it, under BUNDLE_CONTEXT. Its name is the SHA-256 of all of it.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { ParticipantId } from '@veilcast/protocol';
import { SIGNATURE_BYTES, SIGNATURE_PUBLIC_BYTES, type Signatures, type SigningKey } from '../pq/index.ts';
import { BUNDLE_CONTEXT } from './contexts.ts';
import { type Reader, readWhole, Writer } from './layout.ts';

export const DEVICE_ID_BYTES = 16;
const VERSION = 1;
/** With a user id of 64 bytes. */
export const BUNDLE_MAX = 1 + 65 + DEVICE_ID_BYTES + SIGNATURE_PUBLIC_BYTES + 16 + SIGNATURE_BYTES;

export interface BundleClaims {
  readonly user: ParticipantId;
  /** Chosen by the device once; stays when its key is rotated. */
  readonly device: Uint8Array;
  /** ML-DSA-65 public key. */
  readonly key: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface Bundle extends BundleClaims {
  readonly signature: Uint8Array;
}

function write({ user, device, key, issuedAt, expiresAt }: BundleClaims): Writer {
  return new Writer()
    .u8(VERSION)
    .text(user)
    .fixed(device, DEVICE_ID_BYTES)
    .fixed(key, SIGNATURE_PUBLIC_BYTES)
    .u64(issuedAt)
    .u64(expiresAt);
}

/** @throws RangeError for fields of other lengths */
export async function signBundle(claims: BundleClaims, root: SigningKey): Promise<Uint8Array<ArrayBuffer>> {
  const signed = write(claims).done();
  const signature = await root.sign(signed, BUNDLE_CONTEXT);
  return new Writer().bytes(signed).fixed(signature, SIGNATURE_BYTES).done();
}

function read(reader: Reader): Bundle {
  return {
    user: ParticipantId.parse(reader.version(VERSION).text()),
    device: reader.fixed(DEVICE_ID_BYTES),
    key: reader.fixed(SIGNATURE_PUBLIC_BYTES),
    issuedAt: reader.u64(),
    expiresAt: reader.u64(),
    signature: reader.fixed(SIGNATURE_BYTES),
  };
}

/** Undefined for anything but one bundle. Its signature is not looked at. Never throws. */
export function decodeBundle(bytes: Uint8Array): Bundle | undefined {
  return readWhole(bytes, BUNDLE_MAX, read);
}

export function verifyBundle(bundle: Bundle, root: Uint8Array, signatures: Signatures): Promise<boolean> {
  return signatures.verify(root, write(bundle).done(), bundle.signature, BUNDLE_CONTEXT);
}

/** By any of these. They are few: each costs a verification. */
export async function isVouchedFor(
  bundle: Bundle,
  vouchers: readonly Uint8Array[],
  signatures: Signatures,
): Promise<boolean> {
  const found = await Promise.all(vouchers.map((root) => verifyBundle(bundle, root, signatures)));
  return found.includes(true);
}

/** The name of a bundle, and of a key: SHA-256, 32 bytes. */
export function nameOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}

export function hexNameOf(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}
