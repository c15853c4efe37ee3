/**
 * A crowd at the door (ADR 0040): who waits is asked for a KeyPackage, and a member lets many in by one Commit. It is the one on the
 * highest leaf of a tree without gaps, the only one who can without leaving nodes whose keys newcomers lack. Where it
 * does not answer, the first of the queue enters by ticket, and sits on the highest leaf then. Nobody waits for it longer than that,
 * and who is let in and cannot follow enters by ticket: so it is a way to be quick, and nothing depends on it.
 */
import { ADMITTED_MAX, type PeerId } from '@veilcast/protocol';
import { isPresent, outgoing, refuse, tell, without, type Applied } from './members.ts';
import type { Admission, DeliveryState, EventOf } from './state.ts';
import { keepTurn } from './turns.ts';

/** People who wait before they are let in together. Fewer: two would pay for a cold tree what a ticket costs one. */
export const CROWD_MIN = 4;
/** How long a member is waited for, ms. Longer: a silent one holds up a crowd. Shorter: a slow phone works in vain. */
export const ADMISSION_PATIENCE_MS = 1_500;
/** Admissions that may fail in a row before this crowd enters by ticket. */
export const ADMISSIONS_FAILED_MAX = 2;

/** A KeyPackage. It comes too late for who has its turn by now. */
export function offer(state: DeliveryState, { peerId, keyPackage }: EventOf<'offer'>): Applied {
  if (!isPresent(state, peerId)) return refuse(state, 'NOT_JOINED');
  const wanted = state.queue.includes(peerId) && state.asked.has(peerId) && !state.offers.has(peerId);
  if (!wanted) return { state, effects: [] };
  return { state: { ...state, offers: new Map(state.offers).set(peerId, keyPackage) }, effects: [] };
}

/** Sees to it that those who wait come in: many at once, or the first of them by ticket. Call while nobody must be removed. */
export function keepDoor(given: DeliveryState, now: number): Applied {
  const quiet = given.queue.length === 0 ? { ...given, admissionsFailed: 0 } : given;
  const kept = keepAdmission(quiet, now);
  const { state, effects } = askForOffers(kept.state);
  return { state, effects: [...kept.effects, ...effects] };
}

/** No admission goes on while somebody must be removed: its Epoch will be over. */
export function closeDoor(state: DeliveryState): DeliveryState {
  return { ...state, admission: undefined };
}

function askForOffers(state: DeliveryState): Applied {
  const isCrowd = state.queue.length >= CROWD_MIN && state.groupInfo !== undefined;
  const peers = state.queue.filter((peerId) => !state.asked.has(peerId));
  if (!isCrowd || peers.length === 0 || state.admissionsFailed >= ADMISSIONS_FAILED_MAX) return { state, effects: [] };
  const asked = new Set([...state.asked, ...peers]);
  return { state: { ...state, asked }, effects: tell(peers, { name: 'groupOffer', body: {} }) };
}

function keepAdmission(state: DeliveryState, now: number): Applied {
  const { admission } = state;
  if (!admission) return next(state, now);
  if (now - admission.askedAt >= ADMISSION_PATIENCE_MS) return next(failed(state, admission), now);
  const peers = admission.peers.filter((peerId) => state.queue.includes(peerId));
  if (peers.length === admission.peers.length) return { state, effects: [] };
  // Somebody went: the others are asked for anew, and the patience is not begun anew, or a stream of leavers would stop it.
  return peers.length > 0 ? ask(state, { ...admission, peers }) : next(closeDoor(state), now);
}

function next(state: DeliveryState, now: number): Applied {
  const peers = admissible(state);
  const committer = state.members.at(-1)?.peerId;
  if (state.ticket || peers.length < CROWD_MIN || committer === undefined) return keepTurn(state, now);
  return ask(state, { peers, committer, askedAt: now });
}

/** The first of the queue who can come in together. Nobody is overtaken by those behind. */
function admissible({ members, queue, offers, admissionsFailed }: DeliveryState): readonly PeerId[] {
  const hasGaps = members.at(-1)?.leaf !== members.length - 1;
  if (hasGaps || admissionsFailed >= ADMISSIONS_FAILED_MAX) return [];
  const slow = queue.findIndex((peerId) => !offers.has(peerId));
  return queue.slice(0, slow === -1 ? queue.length : slow).slice(0, ADMITTED_MAX);
}

function ask(state: DeliveryState, admission: Admission): Applied {
  const keyPackages = admission.peers.flatMap((peerId) => state.offers.get(peerId) ?? []);
  const body = { epoch: state.epoch, keyPackages };
  return { state: { ...state, admission }, effects: tell([admission.committer], { name: 'groupAdd', body }) };
}

/** The first of them goes by ticket, and lets the others in when it is there. */
function failed(state: DeliveryState, { peers }: Admission): DeliveryState {
  const offers = new Map(state.offers);
  for (const peerId of peers.slice(0, 1)) offers.delete(peerId);
  return { ...closeDoor(state), offers, admissionsFailed: state.admissionsFailed + 1 };
}

/** The state without the offers of these: they were taken, left out, or are gone. */
export function withoutOffers(state: DeliveryState, peers: readonly PeerId[]): DeliveryState {
  const offers = new Map([...state.offers].filter(([peerId]) => !peers.includes(peerId)));
  return { ...state, offers };
}

/** Whether a Commit of this member, of these newcomers, is what was asked for. */
export function isAdmission(state: DeliveryState, committer: PeerId, adds: readonly PeerId[]): boolean {
  const { admission } = state;
  if (admission?.committer !== committer || outgoing(state).length > 0) return false;
  return new Set(adds).size === adds.length && without(adds, admission.peers).length === 0;
}
