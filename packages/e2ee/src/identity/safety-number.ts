/**
 * What two people compare: 60 digits over both identities and the Authentication Service's root, the same on both screens
 * (research: e2ee.md §6.2). 30 digits a person, each from a hash iterated so that a search for an identity with the same digits
 * costs that much more; 30 digits are 99 bits.
 */
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ParticipantId } from '@veilcast/protocol';
import { Writer } from './layout.ts';

/** As Signal's. More: phones wait for it. */
const ROUNDS = 5_200;
const GROUPS = 6;
const LABEL = new TextEncoder().encode('veilcast/1 safety number');
const QR_PREFIX = 'veilcast:safety/1/';

export interface SafetyIdentity {
  readonly user: ParticipantId;
  /** ML-DSA-65 public key of the device. */
  readonly key: Uint8Array;
}

export interface SafetyNumber {
  /** Twelve groups of five digits. */
  readonly digits: string;
  /** For a QR code: a prefix and the whole hashes as hexadecimal digits. Equal strings mean the same two identities. */
  readonly qr: string;
}

/** The same whichever of the two is named first. */
export function safetyNumber(one: SafetyIdentity, other: SafetyIdentity, root: Uint8Array): SafetyNumber {
  const [first, second] = [one, other].map((identity) => iterate(identity, root)).toSorted(compare);
  const hashes = [first ?? new Uint8Array(), second ?? new Uint8Array()];
  return { digits: hashes.map(digitsOf).join(' '), qr: QR_PREFIX + hashes.map(bytesToHex).join('') };
}

function iterate({ user, key }: SafetyIdentity, root: Uint8Array): Uint8Array {
  const whole = sha512(new Writer().bytes(LABEL).text(user).bytes(key).bytes(root).done());
  // The hash so far, and the identity again: what two searches have in common is never shared work.
  const block = new Uint8Array(2 * whole.length);
  block.set(whole);
  block.set(whole, whole.length);
  for (let round = 1; round < ROUNDS; round++) block.set(sha512(block));
  return block.slice(0, whole.length);
}

function digitsOf(hash: Uint8Array): string {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return Array.from({ length: GROUPS }, (_, group) =>
    String(view.getBigUint64(group * 8) % 100_000n).padStart(5, '0'),
  ).join(' ');
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
