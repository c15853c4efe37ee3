/** Who is in the group, who still hears, who must be removed, and which leaf the next one gets. */
import type { Epoch, ErrorCode, PeerId } from '@veilcast/protocol';
import type { DeliveryEffect, DeliveryState, GroupTold, Member } from './state.ts';

/** One rule's part of a DeliveryStep. */
export interface Applied {
  readonly state: DeliveryState;
  readonly effects: readonly DeliveryEffect[];
  readonly refusal?: ErrorCode;
  readonly epoch?: Epoch;
}

export function refuse(state: DeliveryState, refusal: ErrorCode): Applied {
  return { state, effects: [], refusal };
}

export function tell(peerIds: readonly PeerId[], event: GroupTold): readonly DeliveryEffect[] {
  return peerIds.length === 0 ? [] : [{ kind: 'tell', peerIds, event }];
}

export function memberOf(state: DeliveryState, peerId: PeerId): Member | undefined {
  return state.members.find((member) => member.peerId === peerId);
}

/** Members who must be removed, by leaf. */
export function outgoing(state: DeliveryState): readonly PeerId[] {
  const out = new Set([...state.gone, ...state.rejoining]);
  return state.members.filter((member) => out.has(member.peerId)).map((member) => member.peerId);
}

/** Members who are here and in step, by leaf. Only they are told of the group and only they may commit. */
export function inStep(state: DeliveryState): readonly Member[] {
  const out = new Set([...state.gone, ...state.rejoining]);
  return state.members.filter((member) => !out.has(member.peerId));
}

/** Everybody of the Room who is in the group, waits for it, or has the turn. */
export function isPresent(state: DeliveryState, peerId: PeerId): boolean {
  if (state.gone.includes(peerId)) return false;
  return memberOf(state, peerId) !== undefined || state.queue.includes(peerId) || state.ticket?.peerId === peerId;
}

/** Adds a member, kept by leaf: the leftmost blank one, or one more to the right (RFC 9420 §7.7, §12.4.3.2). */
export function withMember(members: readonly Member[], peerId: PeerId, since: Epoch): readonly Member[] {
  const gap = members.findIndex((member, index) => member.leaf !== index);
  const leaf = gap === -1 ? members.length : gap;
  return [...members.slice(0, leaf), { peerId, leaf, since }, ...members.slice(leaf)];
}

export function without(peerIds: readonly PeerId[], gone: readonly PeerId[]): readonly PeerId[] {
  return peerIds.filter((peerId) => !gone.includes(peerId));
}
