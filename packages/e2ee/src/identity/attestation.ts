/**
 * What a member shows of itself: its bundle, its device's statement about its leaf key, and where the bundle is in the log
 * (ADR 0011). Whoever hands it out is not trusted with it.
 *
 * Proof (what a device sends with its join): `key[1952] | statement`.
 * Attestation: `u8 version=1 | u16 length | bundle | u16 length | statement | u64 index | u8 count | path[32]…`; index and path are
 * a proof of RFC 9162 §2.1.3 that the bundle is in the log.
 */
import { bytesOf } from '../bytes.ts';
import { SIGNATURE_PUBLIC_BYTES } from '../pq/index.ts';
import { BUNDLE_MAX } from './bundle.ts';
import { type Reader, readWhole, Writer } from './layout.ts';
import { STATEMENT_MAX } from './statement.ts';

const VERSION = 1;
const HASH_BYTES = 32;
/** Of a log with 2⁴⁸ entries. */
const PATH_MAX = 48;
export const PROOF_MAX = SIGNATURE_PUBLIC_BYTES + STATEMENT_MAX;
export const ATTESTATION_MAX = 1 + 2 + BUNDLE_MAX + 2 + STATEMENT_MAX + 8 + 1 + PATH_MAX * HASH_BYTES;

export interface DeviceProof {
  readonly key: Uint8Array;
  /** As `signStatement` made it. */
  readonly statement: Uint8Array;
}

export function encodeProof({ key, statement }: DeviceProof): Uint8Array<ArrayBuffer> {
  return new Writer().fixed(key, SIGNATURE_PUBLIC_BYTES).bytes(statement).done();
}

/** Undefined when it is too short or too long. Never throws. */
export function decodeProof(bytes: Uint8Array): DeviceProof | undefined {
  if (bytes.length <= SIGNATURE_PUBLIC_BYTES || bytes.length > PROOF_MAX) return undefined;
  const own = bytesOf(bytes);
  return { key: own.slice(0, SIGNATURE_PUBLIC_BYTES), statement: own.slice(SIGNATURE_PUBLIC_BYTES) };
}

export interface Attestation {
  /** Their encodings, as they were signed. */
  readonly bundle: Uint8Array;
  readonly statement: Uint8Array;
  /** Place of the bundle in the log. */
  readonly index: number;
  readonly path: readonly Uint8Array[];
}

/** @throws RangeError */
export function encodeAttestation({ bundle, statement, index, path }: Attestation): Uint8Array<ArrayBuffer> {
  if (bundle.length > BUNDLE_MAX || statement.length > STATEMENT_MAX) throw new RangeError('too long');
  if (path.length > PATH_MAX) throw new RangeError('path too long');
  const writer = new Writer().u8(VERSION).u16(bundle.length).bytes(bundle).u16(statement.length).bytes(statement);
  writer.u64(index).u8(path.length);
  for (const hash of path) writer.fixed(hash, HASH_BYTES);
  return writer.done();
}

function read(reader: Reader): Attestation {
  const bundle = reader.version(VERSION).fixed(reader.u16());
  const statement = reader.fixed(reader.u16());
  const index = reader.u64();
  const count = reader.u8();
  if (count > PATH_MAX) throw new RangeError('path too long');
  return { bundle, statement, index, path: Array.from({ length: count }, () => reader.fixed(HASH_BYTES)) };
}

/** Undefined for anything but one attestation; bundle and statement in it are not looked at. Never throws. */
export function decodeAttestation(bytes: Uint8Array): Attestation | undefined {
  return readWhole(bytes, ATTESTATION_MAX, read);
}
