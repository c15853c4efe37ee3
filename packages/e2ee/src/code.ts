/**
 * The digits that people read to each other: equal for all who share an Epoch, and for nobody else. 30 digits are 99
 * bits: nobody can search for a group with the same ones.
 */
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const GROUPS = 6;
const LABEL = utf8ToBytes('veilcast/1 group code');

/** Six groups of five digits, from the epoch authenticator. Eight bytes a group: none is likelier than another by more than 2⁻⁴⁷. */
export function groupCode(authenticator: Uint8Array): string {
  const digest = sha512(concatBytes(LABEL, authenticator));
  const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
  return Array.from({ length: GROUPS }, (_, group) =>
    String(view.getBigUint64(group * 8) % 100_000n).padStart(5, '0'),
  ).join(' ');
}

/** The whole authenticator as hexadecimal digits, for whoever makes another view of it. */
export function authenticatorDigits(authenticator: Uint8Array): string {
  return bytesToHex(authenticator);
}
