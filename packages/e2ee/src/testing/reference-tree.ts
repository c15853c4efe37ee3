/** The leaves of the reference group: there is nothing else in its tree. */
import { hexToBytes } from '@noble/hashes/utils.js';
import type { PeerId } from '@veilcast/protocol';
import { GroupError, type GroupMember, type GroupSelf } from '../group.ts';
import type { Epoch, Leaves } from './reference-messages.ts';
import type { KeyPackage, Leaf } from './reference-model.ts';

export function isMember(peer: PeerId, members: readonly GroupMember[]): boolean {
  return members.some(({ peerId }) => peerId === peer);
}

export async function epochOf(
  epoch: number,
  secret: string,
  leaves: Leaves,
  validate: GroupSelf['validate'],
): Promise<Epoch> {
  return { epoch, secret, leaves, members: await membersOf(leaves, validate), opened: new Set() };
}

export async function membersOf(leaves: Leaves, validate: GroupSelf['validate']): Promise<readonly GroupMember[]> {
  const members: GroupMember[] = [];
  const keys = new Set<string>();
  for (const [leaf, seat] of leaves.entries()) {
    if (seat === null) continue;
    const verified = await validate(seat.credential, hexToBytes(seat.leafKey));
    const taken = keys.has(seat.leafKey) || members.some(({ peerId }) => peerId === verified?.peerId);
    if (!verified || taken) throw new GroupError('bad-credential');
    keys.add(seat.leafKey);
    members.push({ leaf, peerId: verified.peerId });
  }
  return members;
}

export function blankOf(leaves: Leaves): number {
  const blank = leaves.indexOf(null);
  return blank === -1 ? leaves.length : blank;
}

export function withLeaf(leaves: Leaves, index: number, leaf: Leaf): Leaves {
  const next = [...leaves];
  next[index] = leaf;
  return next;
}

/** With these newcomers, each on the leftmost blank leaf. */
export function withSeated(leaves: Leaves, packages: readonly KeyPackage[]): Leaves {
  return packages.reduce((seated, { leaf }) => withLeaf(seated, blankOf(seated), leaf), leaves);
}

/** On the highest leaf of a tree without gaps. */
export function isDoorkeeper(leaf: number, leaves: Leaves): boolean {
  const sitting = leaves.flatMap((one, index) => (one === null ? [] : [index]));
  return leaf === sitting.at(-1) && sitting.length === leaf + 1;
}
