/** Sealed application messages: from a member to every other member that has the keys of their Epoch. */
import { inStep, refuse, tell, type Applied } from './members.ts';
import type { DeliveryState, EventOf } from './state.ts';

/** The Epoch before counts too: the sender may not have heard of the last Commit yet, and members keep its keys (DESIGN §5). */
export function message(state: DeliveryState, { peerId, epoch, sealed }: EventOf<'message'>): Applied {
  const holders = inStep(state).filter((member) => member.since <= epoch);
  const isHolder = holders.some((member) => member.peerId === peerId);
  if (!isHolder || epoch > state.epoch || epoch < state.epoch - 1) return refuse(state, 'EPOCH_CONFLICT');
  const hearers = holders.map((member) => member.peerId).filter((hearer) => hearer !== peerId);
  return { state, effects: tell(hearers, { name: 'groupMessage', body: { epoch, sender: peerId, sealed } }) };
}
