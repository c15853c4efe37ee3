/** Which Commit makes the next Epoch. The first valid one; while somebody must be removed, only one that removes; while a crowd is let in, that one. */
import type { Epoch } from '@veilcast/protocol';
import { inStep, isPresent, outgoing, refuse, tell, withMember, without, type Applied } from './members.ts';
import { isAdmission, withoutOffers } from './door.ts';
import type { DeliveryState, EventOf } from './state.ts';

const FIRST = 0 as Epoch;

type Commit = EventOf<'commit'>;

export function commit(state: DeliveryState, event: Commit): Applied {
  if (!isPresent(state, event.peerId)) return refuse(state, 'NOT_JOINED');
  const admits = event.adds.length > 0;
  if (admits !== (event.welcome !== undefined)) return refuse(state, 'COMMIT_INVALID');
  if (event.ticket === undefined) return admits ? admit(state, event) : commitOfMember(state, event);
  if (admits) return refuse(state, 'COMMIT_INVALID');
  const { ticket } = state;
  if (ticket?.peerId !== event.peerId) return refuse(state, 'TICKET_EXPIRED');
  // It has been told its new turn already; the Commit was on its way.
  if (ticket.ticket !== event.ticket) return refuse(state, 'EPOCH_CONFLICT');
  if (event.removes.length > 0) return refuse(state, 'COMMIT_INVALID');
  return state.groupInfo === undefined ? create(state, event) : join(state, event);
}

function create(state: DeliveryState, event: Commit): Applied {
  if (event.commit !== undefined) return refuse(state, 'COMMIT_INVALID');
  if (event.epoch !== FIRST) return refuse(state, 'EPOCH_CONFLICT');
  return { ...entered({ ...state, epoch: FIRST }, event), epoch: FIRST };
}

function join(state: DeliveryState, event: Commit): Applied {
  if (event.commit === undefined) return refuse(state, 'COMMIT_INVALID');
  // Who has the turn while others are waited for loses nothing; once a removal is asked for it goes first.
  if (event.epoch !== state.epoch || state.removal) return refuse(state, 'EPOCH_CONFLICT');
  const epoch = after(state.epoch);
  const { effects } = announce(state, event, event.commit);
  return { ...entered({ ...state, epoch }, event), effects, epoch };
}

/** The one whose turn it was is a member of the Epoch that `state` is in. */
function entered(state: DeliveryState, { peerId, groupInfo }: Commit): Applied {
  const failures = new Map(state.failures);
  failures.delete(peerId);
  const members = withMember(state.members, peerId, state.epoch);
  return { state: { ...state, groupInfo, failures, members, ticket: undefined }, effects: [] };
}

/** Of a member: a removal of exactly such members as must be removed, or new keys for itself when nothing else waits. */
function commitOfMember(state: DeliveryState, event: Commit): Applied {
  const { peerId, groupInfo, removes } = event;
  const isMember = inStep(state).some((member) => member.peerId === peerId);
  if (!isMember || event.commit === undefined) return refuse(state, 'COMMIT_INVALID');
  if (event.epoch !== state.epoch) return refuse(state, 'EPOCH_CONFLICT');
  const out = outgoing(state);
  const rightful = removes.every((removed) => out.includes(removed)) && new Set(removes).size === removes.length;
  if (!rightful) return refuse(state, 'COMMIT_INVALID');
  // A turn is lost to a removal alone: whoever rotates its keys without end could keep everybody else out.
  if (removes.length === 0 && (out.length > 0 || state.ticket || state.admission))
    return refuse(state, 'EPOCH_CONFLICT');
  const epoch = after(state.epoch);
  const next: DeliveryState = {
    ...state,
    epoch,
    groupInfo,
    members: state.members.filter((member) => !removes.includes(member.peerId)),
    gone: without(state.gone, removes),
    rejoining: without(state.rejoining, removes),
    queue: [...state.queue, ...state.rejoining.filter((rejoining) => removes.includes(rejoining))],
    removal: undefined,
  };
  return { state: next, effects: announce(state, event, event.commit).effects, epoch };
}

/** Of the member who was asked to let people in. Whom it left out keeps its place in the queue, and enters by ticket. */
function admit(state: DeliveryState, event: Commit): Applied {
  const { peerId, groupInfo, removes, adds, welcome } = event;
  if (event.commit === undefined || welcome === undefined || removes.length > 0) return refuse(state, 'COMMIT_INVALID');
  const { admission } = state;
  if (event.epoch !== state.epoch || !admission || !isAdmission(state, peerId, adds)) {
    return refuse(state, 'EPOCH_CONFLICT');
  }
  const epoch = after(state.epoch);
  const failures = new Map(state.failures);
  for (const added of adds) failures.delete(added);
  const next: DeliveryState = {
    ...withoutOffers(state, admission.peers),
    epoch,
    groupInfo,
    failures,
    members: adds.reduce((members, added) => withMember(members, added, epoch), state.members),
    queue: without(state.queue, adds),
    admission: undefined,
    admissionsFailed: 0,
  };
  const entry = { name: 'groupWelcome', body: { epoch, groupInfo, welcome } } as const;
  return { state: next, effects: [...announce(state, event, event.commit).effects, ...tell(adds, entry)], epoch };
}

function after(epoch: Epoch): Epoch {
  return (epoch + 1) as Epoch;
}

/** To every member in step but the sender. */
function announce(state: DeliveryState, event: Commit, bytes: Uint8Array): Pick<Applied, 'effects'> {
  const hearers = inStep(state).map((member) => member.peerId);
  const body = { epoch: event.epoch, sender: event.peerId, commit: bytes, removes: [...event.removes] };
  return { effects: tell(without(hearers, [event.peerId]), { name: 'groupCommit', body }) };
}
