/**
 * Who sits in the tree. A leaf is a member only if our own validation took its credential, and a Peer sits there once:
 * the library's default takes everybody, and does not look whether a key is there twice.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { PeerId } from '@veilcast/protocol';
import type { Credential } from 'ts-mls/credential.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { decodeText } from './bytes.ts';
import { GroupError, type GroupMember, type ValidateCredential } from './group.ts';

export interface RosterEntry {
  readonly peerId: PeerId;
  readonly credential: string;
  /** Ed25519, as hexadecimal digits. */
  readonly leafKey: string;
}

export type Roster = ReadonlyMap<number, RosterEntry>;

/** @throws GroupError `bad-credential` */
export async function validated(
  credential: Credential,
  leafKey: Uint8Array,
  validate: ValidateCredential,
): Promise<RosterEntry> {
  const text = credential.credentialType === 'basic' ? decodeText(credential.identity) : undefined;
  const verified = text === undefined ? undefined : await validate(text, leafKey);
  if (text === undefined || verified === undefined) throw new GroupError('bad-credential');
  return { peerId: verified.peerId, credential: text, leafKey: bytesToHex(leafKey) };
}

/** Reads every leaf; those that `known` has with the same credential and key are not validated again. @throws GroupError */
export async function rosterOf(tree: RatchetTree, validate: ValidateCredential, known?: Roster): Promise<Roster> {
  const roster = new Map<number, RosterEntry>();
  const seen = new Set<string>();
  for (const [node, entry] of tree.entries()) {
    if (entry?.nodeType !== 'leaf') continue;
    const { credential, signaturePublicKey } = entry.leaf;
    const before = known?.get(node / 2);
    const same = before !== undefined && isSame(before, credential, signaturePublicKey);
    const member = same ? before : await validated(credential, signaturePublicKey, validate);
    if (seen.has(`peer ${member.peerId}`) || seen.has(`key ${member.leafKey}`)) throw new GroupError('bad-credential');
    seen.add(`peer ${member.peerId}`).add(`key ${member.leafKey}`);
    roster.set(node / 2, member);
  }
  return roster;
}

export function isSame(entry: RosterEntry, credential: Credential, leafKey: Uint8Array): boolean {
  return (
    credential.credentialType === 'basic' &&
    decodeText(credential.identity) === entry.credential &&
    bytesToHex(leafKey) === entry.leafKey
  );
}

export function leafOf(roster: Roster, peerId: PeerId): number | undefined {
  for (const [leaf, entry] of roster) if (entry.peerId === peerId) return leaf;
  return undefined;
}

export function membersOf(roster: Roster): GroupMember[] {
  return [...roster].map(([leaf, { peerId }]) => ({ leaf, peerId }));
}
