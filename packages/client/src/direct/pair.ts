/** Who the two of a Room are, and whether one of them would go directly. Pure. */
import type { PeerToPeer } from '@veilcast/protocol';
import type { CallSnapshot, ConnectOptions } from '../call.ts';
import type { Pair } from './model.ts';

/**
 * Exactly two in the Room, both of whom may send, and the group has the two and nobody else. A viewer is an audience, which no
 * address is shown to. Undefined otherwise.
 */
export function pairOf({ self, people, encryption }: CallSnapshot): Pair | undefined {
  const [other, ...more] = people;
  if (self.peerId === '' || !other || more.length > 0) return undefined;
  if (self.role === 'viewer' || other.role === 'viewer' || encryption.state !== 'encrypted') return undefined;
  const { members } = encryption;
  const isTheirs = members.length === 2 && members.includes(self.peerId) && members.includes(other.peerId);
  return isTheirs ? { self: self.peerId, other: other.peerId } : undefined;
}

/** What the cluster allows, within it what the link asks for, and always what the person wishes. */
export function wouldGoDirectly(
  policy: PeerToPeer,
  { peerToPeer, hideAddress }: Pick<ConnectOptions, 'peerToPeer' | 'hideAddress'>,
): boolean {
  if (hideAddress === true || policy === 'off') return false;
  return policy === 'on' ? peerToPeer !== false : peerToPeer === true;
}
