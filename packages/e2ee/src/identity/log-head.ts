/**
 * The log of bundles (ADR 0012): what an entry is, and the signed head that says how long the log is.
 *
 * Entry: `SHA-256(user)[32] | SHA-256(key)[32] | SHA-256(bundle)[32]`. Head: `u8 version=1 | u64 size | root[32] | u64 at | signature[3309]`, by the
 * Authentication Service under HEAD_CONTEXT.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { HASH_BYTES, includes, leafHash } from '@veilcast/translog';
import { equalBytes } from '../bytes.ts';
import { SIGNATURE_BYTES, type Signatures, type SigningKey } from '../pq/index.ts';
import { nameOf } from './bundle.ts';
import { HEAD_CONTEXT } from './contexts.ts';
import { type Reader, readWhole, Writer } from './layout.ts';

const VERSION = 1;
export const LOG_ENTRY_BYTES = 3 * HASH_BYTES;
export const LOG_HEAD_BYTES = 1 + 8 + HASH_BYTES + 8 + SIGNATURE_BYTES;

export interface LogHeadClaims {
  readonly size: number;
  readonly root: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** `bundle`: its encoding. */
export interface LoggedBundle {
  readonly user: string;
  readonly key: Uint8Array;
  readonly bundle: Uint8Array;
}

export interface LogHead extends LogHeadClaims {
  readonly signature: Uint8Array;
}

/** Entries of one user begin alike, so that a person finds their own; names themselves are not in the log. */
export function logEntry({ user, key, bundle }: LoggedBundle): Uint8Array<ArrayBuffer> {
  const parts = [new TextEncoder().encode(user), key, bundle];
  return parts.reduce((writer, part) => writer.bytes(nameOf(part)), new Writer()).done();
}

/** A key that a bundle in the log was for: by its user, or by the fingerprint that people see, as 48 hexadecimal digits. */
export type LoggedKey = { readonly user: string } | { readonly fingerprint: string };

/** `hexNameOf` the keys that are meant, each once. */
export function loggedKeys(entries: readonly Uint8Array[], wanted: LoggedKey): string[] {
  const user = 'user' in wanted ? nameOf(new TextEncoder().encode(wanted.user)) : undefined;
  const prefix = 'fingerprint' in wanted ? hexToBytes(wanted.fingerprint) : undefined;
  const meant = entries.filter((entry) =>
    user
      ? equalBytes(entry.subarray(0, HASH_BYTES), user)
      : prefix && equalBytes(entry.subarray(HASH_BYTES, HASH_BYTES + prefix.length), prefix),
  );
  return [...new Set(meant.map((entry) => bytesToHex(entry.subarray(HASH_BYTES, 2 * HASH_BYTES))))];
}

/** Entries of this user that vouch for another key than this one: their places among these. */
export function foreignEntries(entries: Uint8Array, own: Omit<LoggedBundle, 'bundle'>): number[] {
  const [user, key] = [nameOf(new TextEncoder().encode(own.user)), nameOf(own.key)];
  return Array.from({ length: Math.floor(entries.length / LOG_ENTRY_BYTES) }, (_, i) => i).filter((i) => {
    const at = i * LOG_ENTRY_BYTES;
    const ofUser = equalBytes(entries.subarray(at, at + HASH_BYTES), user);
    return ofUser && !equalBytes(entries.subarray(at + HASH_BYTES, at + 2 * HASH_BYTES), key);
  });
}

export function isLogged(
  logged: LoggedBundle,
  proof: { readonly index: number; readonly path: readonly Uint8Array[] },
  head: LogHeadClaims,
): boolean {
  const leaf = leafHash(logEntry(logged));
  return includes({ leaf, index: proof.index, size: head.size, root: head.root }, proof.path);
}

function write({ size, root, at }: LogHeadClaims): Writer {
  return new Writer().u8(VERSION).u64(size).fixed(root, HASH_BYTES).u64(at);
}

export async function signHead(claims: LogHeadClaims, root: SigningKey): Promise<Uint8Array<ArrayBuffer>> {
  const signed = write(claims).done();
  return new Writer()
    .bytes(signed)
    .fixed(await root.sign(signed, HEAD_CONTEXT), SIGNATURE_BYTES)
    .done();
}

function read(reader: Reader): LogHead {
  const size = reader.version(VERSION).u64();
  return { size, root: reader.fixed(HASH_BYTES), at: reader.u64(), signature: reader.fixed(SIGNATURE_BYTES) };
}

/** Undefined for anything but one head. Its signature is not looked at. Never throws. */
export function decodeHead(bytes: Uint8Array): LogHead | undefined {
  return readWhole(bytes, LOG_HEAD_BYTES, read);
}

/** The head, when the root signed it. Never throws. */
export async function acceptHead(
  bytes: Uint8Array,
  root: Uint8Array,
  signatures: Signatures,
): Promise<LogHead | undefined> {
  const head = decodeHead(bytes);
  if (head === undefined) return undefined;
  return (await signatures.verify(root, write(head).done(), head.signature, HEAD_CONTEXT)) ? head : undefined;
}
