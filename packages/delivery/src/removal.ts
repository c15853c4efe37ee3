/**
 * Who removes those who are gone, and by when. The member of the lowest leaf is asked first; who does not answer in time
 * is passed over for the next, and after the last one it starts again from the lowest. Whoever commits first has done it.
 */
import type { PeerId } from '@veilcast/protocol';
import { inStep, memberOf, outgoing, tell, type Applied } from './members.ts';
import type { DeliveryState, Removal } from './state.ts';
import { goAway } from './turns.ts';

/** How long a committer is waited for, ms. Longer: who left reads on. Shorter: two make the same Commit and one has worked in vain. */
export const REMOVAL_PATIENCE_MS = 300;
/**
 * How long others are waited for who leave with the first one, ms: at the end of a meeting all go at once, and each Commit
 * costs everybody. Longer: who left could read on, if the server helped. Nobody waits for others with one who was thrown out.
 */
export const LEAVE_WINDOW_MS = 100;
/** Rounds through all members before one who did not answer must go, so that nobody can keep a group from going on. */
export const COMMITTER_ROUNDS_MAX = 20;

/** Somebody went: opens the window for others, keeps it, or ends it. */
export function waitForOthers(state: DeliveryState, urgent: boolean, now: number): DeliveryState {
  if (state.removal || outgoing(state).length === 0) return state;
  return { ...state, waitUntil: urgent ? now : (state.waitUntil ?? now + LEAVE_WINDOW_MS) };
}

/** Whether a removal is put off. Never while one is under way, nor for a member that lost its place. */
export function isWaiting({ removal, rejoining, waitUntil }: DeliveryState, now: number): boolean {
  return !removal && rejoining.length === 0 && waitUntil !== undefined && now < waitUntil;
}

/** Call while somebody must be removed and somebody is there to do it. */
export function keepRemoval(state: DeliveryState, now: number): Applied {
  const { removal } = state;
  const peers = outgoing(state);
  if (!removal)
    return ask(
      { ...state, waitUntil: undefined },
      { peers, committer: next(state, undefined), askedAt: now, tries: 0 },
    );
  if (!inStep(state).some((member) => member.peerId === removal.committer)) {
    return ask(state, { ...removal, peers, committer: next(state, removal.committer), askedAt: now });
  }
  if (now - removal.askedAt >= REMOVAL_PATIENCE_MS) return passOver(state, { ...removal, peers }, now);
  // Who left meanwhile goes in the same Commit; the patience is not begun anew, or a stream of leavers would stop it.
  return samePeers(peers, removal.peers) ? { state, effects: [] } : ask(state, { ...removal, peers });
}

function samePeers(a: readonly PeerId[], b: readonly PeerId[]): boolean {
  return a.length === b.length && a.every((peerId) => b.includes(peerId));
}

function passOver(state: DeliveryState, removal: Removal, now: number): Applied {
  const tries = removal.tries + 1;
  const { committer } = removal;
  if (tries < COMMITTER_ROUNDS_MAX * inStep(state).length) {
    return ask(state, { ...removal, committer: next(state, committer), askedAt: now, tries });
  }
  const evicted = goAway({ ...state, removal: { ...removal, tries } }, committer);
  return { state: evicted, effects: [{ kind: 'evict', peerId: committer, code: 'KEYS_FAILED' }] };
}

function ask(state: DeliveryState, removal: Removal): Applied {
  const body = { epoch: state.epoch, peers: [...removal.peers] };
  return { state: { ...state, removal }, effects: tell([removal.committer], { name: 'groupRemove', body }) };
}

/** The member in step with the next higher leaf, or the lowest. */
function next(state: DeliveryState, after: PeerId | undefined): PeerId {
  const members = inStep(state);
  const leaf = after === undefined ? -1 : (memberOf(state, after)?.leaf ?? -1);
  const chosen = members.find((member) => member.leaf > leaf) ?? members[0];
  // Callers make sure that somebody is in step.
  return chosen?.peerId ?? (after as PeerId);
}
