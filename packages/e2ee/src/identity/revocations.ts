/**
 * Devices that are no longer believed: a list signed by the Authentication Service, with a number that only grows. A bundle lives
 * a day and a revoked key is never given another, so an entry can fall out once every bundle of its key is over.
 *
 * List: `u8 version=1 | u64 number | u64 issuedAt | u16 count | (key name[32] | u64 until)… | signature[3309]`, entries by name,
 * ascending, under REVOCATIONS_CONTEXT. A device revokes itself with `u8 version=1 | key[1952] | u64 at | signature[3309]`
 * under REVOKE_CONTEXT.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { SIGNATURE_BYTES, SIGNATURE_PUBLIC_BYTES, type Signatures, type SigningKey } from '../pq/index.ts';
import { REVOCATIONS_CONTEXT, REVOKE_CONTEXT } from './contexts.ts';
import { type Reader, readWhole, Writer } from './layout.ts';

const VERSION = 1;
const NAME_BYTES = 32;
/** Most entries. A day's worth of a large service; 160 kB. */
export const REVOKED_MAX = 4_000;
export const REVOCATIONS_MAX = 1 + 8 + 8 + 2 + REVOKED_MAX * (NAME_BYTES + 8) + SIGNATURE_BYTES;
export const SELF_REVOCATION_BYTES = 1 + SIGNATURE_PUBLIC_BYTES + 8 + SIGNATURE_BYTES;
/** How old a device's own revocation may be, or how far ahead its clock. */
const SELF_REVOCATION_AGE_MS = 3_600_000;

export interface Revocation {
  /** `nameOf` the device key, as hexadecimal digits. */
  readonly key: string;
  /** When the last bundle of the key is over, milliseconds since the Unix epoch. */
  readonly until: number;
}

export interface RevocationClaims {
  /** Grows by one with every change. */
  readonly number: number;
  readonly issuedAt: number;
  readonly revoked: readonly Revocation[];
}

export interface RevocationList extends RevocationClaims {
  readonly signature: Uint8Array;
}

function write({ number, issuedAt, revoked }: RevocationClaims): Writer {
  if (revoked.length > REVOKED_MAX) throw new RangeError('too many revocations');
  const writer = new Writer().u8(VERSION).u64(number).u64(issuedAt).u16(revoked.length);
  for (const { key, until } of sorted(revoked)) writer.fixed(hexToBytes(key), NAME_BYTES).u64(until);
  return writer;
}

function sorted(revoked: readonly Revocation[]): readonly Revocation[] {
  return revoked.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** @throws RangeError for more than REVOKED_MAX entries */
export async function signRevocations(claims: RevocationClaims, root: SigningKey): Promise<Uint8Array<ArrayBuffer>> {
  const signed = write(claims).done();
  return new Writer()
    .bytes(signed)
    .fixed(await root.sign(signed, REVOCATIONS_CONTEXT), SIGNATURE_BYTES)
    .done();
}

function read(reader: Reader): RevocationList {
  const number = reader.version(VERSION).u64();
  const issuedAt = reader.u64();
  const count = reader.u16();
  if (count > REVOKED_MAX) throw new RangeError('too many revocations');
  const revoked: Revocation[] = [];
  for (let i = 0; i < count; i++) {
    const entry = { key: bytesToHex(reader.fixed(NAME_BYTES)), until: reader.u64() };
    const before = revoked.at(-1);
    if (before !== undefined && before.key >= entry.key) throw new RangeError('not in order');
    revoked.push(entry);
  }
  return { number, issuedAt, revoked, signature: reader.fixed(SIGNATURE_BYTES) };
}

/** Undefined for anything but one list. Its signature is not looked at. Never throws. */
export function decodeRevocations(bytes: Uint8Array): RevocationList | undefined {
  return readWhole(bytes, REVOCATIONS_MAX, read);
}

/** The list, when the root signed it and it is not older than the one we have. */
export async function acceptRevocations(
  bytes: Uint8Array,
  root: Uint8Array,
  signatures: Signatures,
  known: RevocationClaims | undefined,
): Promise<RevocationList | undefined> {
  const list = decodeRevocations(bytes);
  if (list === undefined || (known !== undefined && list.number < known.number)) return undefined;
  const holds = await signatures.verify(root, write(list).done(), list.signature, REVOCATIONS_CONTEXT);
  return holds ? list : undefined;
}

/** A device's last word. @throws RangeError */
export async function signSelfRevocation(device: SigningKey, at: number): Promise<Uint8Array<ArrayBuffer>> {
  const signed = new Writer().u8(VERSION).fixed(device.publicKey, SIGNATURE_PUBLIC_BYTES).u64(at).done();
  return new Writer()
    .bytes(signed)
    .fixed(await device.sign(signed, REVOKE_CONTEXT), SIGNATURE_BYTES)
    .done();
}

/** The key that revokes itself; undefined for anything else. Never throws. */
export async function verifySelfRevocation(
  bytes: Uint8Array,
  signatures: Signatures,
  now: number,
): Promise<Uint8Array | undefined> {
  const said = readWhole(bytes, SELF_REVOCATION_BYTES, (reader) => ({
    key: reader.version(VERSION).fixed(SIGNATURE_PUBLIC_BYTES),
    at: reader.u64(),
    signature: reader.fixed(SIGNATURE_BYTES),
  }));
  if (said === undefined || Math.abs(now - said.at) > SELF_REVOCATION_AGE_MS) return undefined;
  const signed = bytes.subarray(0, SELF_REVOCATION_BYTES - SIGNATURE_BYTES);
  return (await signatures.verify(said.key, signed, said.signature, REVOKE_CONTEXT)) ? said.key : undefined;
}
