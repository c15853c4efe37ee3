/**
 * What a member has to do for its place in the group, and when (ADR 0015): ask for a place it does not have, renew its
 * keys, take out who left the Room and is a member still, and say what is wrong. Pure: `now` is an argument. Membership
 * carries out what this asks for.
 */
import { PEERS_MAX, type PeerId } from '@veilcast/protocol';
import type { GroupMember } from '@veilcast/e2ee';
import type { GroupWarning } from './messages.ts';

/** Every member renews its keys so often, ms. Less often: who stole a device's state reads on longer (RFC 9420 §16.6). */
export const ROTATE_MS = 900_000;
/** After a rotation that lost its race. Shorter: while people enter it loses again. */
const ROTATE_AGAIN_MS = 10_000;
/** Races lost in a row without any Epoch in between: others go on and we are not told. */
const LOST_RACES_MAX = 4;
/** A member that has not renewed its keys for this long is shown. */
export const STALE_MS = 2 * ROTATE_MS + 60_000;
/** How long somebody may be a member without being in the Room, ms. Shorter: slow committers are taken for a lying server. */
export const SUSPECT_MS = 5_000;
/** Members propose such a removal this far apart, by leaf, so that the first one spares the others. */
export const SUSPECT_SPREAD_MS = 300;
/** Before it is proposed again. */
const SUSPECT_AGAIN_MS = 30_000;
/** A place that was asked for and did not come is asked for again. */
export const ENTER_AGAIN_MS = 30_000;
/** The second try after a place was lost; the first one is at once, later ones each twice as late. */
const RETRY_FIRST_MS = 250;
export const RETRY_MOST_MS = 30_000;
/** A place held for this long was a good one: what fails then is a new failure. */
const HELD_MS = 10_000;

interface Suspect {
  readonly kind: 'removalWithheld' | 'ghost';
  readonly since: number;
  readonly warned: boolean;
  readonly proposeAt: number;
}

interface Place {
  readonly epoch: number;
  readonly leaf: number;
  readonly members: readonly PeerId[];
  readonly since: number;
  readonly rotateAt: number;
  readonly lostRaces: number;
  /** When each member's keys were last renewed, as far as we have seen. */
  readonly renewedAt: ReadonlyMap<PeerId, number>;
  readonly stale: ReadonlySet<PeerId>;
  readonly suspects: ReadonlyMap<PeerId, Suspect>;
}

export interface Standing {
  readonly self: PeerId;
  /** Who is in the Room, by signaling; undefined before it has said so. */
  readonly present: ReadonlySet<PeerId> | undefined;
  /** Members who were in the Room at some time. */
  readonly seen: ReadonlySet<PeerId>;
  readonly place: Place | undefined;
  /** Places lost, or asked for in vain, in a row. */
  readonly failures: number;
  readonly enterAt: number;
  /** No further place will be asked for. */
  readonly over: boolean;
}

export type StandingEvent =
  /** An Epoch, by whoever made it. */
  | {
      readonly kind: 'epoch';
      readonly epoch: number;
      readonly members: readonly GroupMember[];
      readonly by: PeerId | '';
    }
  /** The place is lost, or an entry failed. */
  | { readonly kind: 'lost' }
  /** `final`: signaling will never give a place to this Peer again. */
  | { readonly kind: 'noPlace'; readonly final: boolean }
  | { readonly kind: 'present'; readonly peers: readonly PeerId[] }
  /** A Commit of our own, not asked for by signaling, was not the first of its Epoch. */
  | { readonly kind: 'raceLost' }
  | { readonly kind: 'tick' };

export type StandingEffect =
  /** Ask signaling for a place. */
  | { readonly kind: 'enter' }
  | { readonly kind: 'rotate' }
  | { readonly kind: 'remove'; readonly peers: readonly PeerId[] }
  | { readonly kind: 'warn'; readonly warning: Pick<GroupWarning, 'kind' | 'peers' | 'reason'> }
  /** Give the place up: it leads nowhere. */
  | { readonly kind: 'giveUp'; readonly reason: string }
  | { readonly kind: 'failed' };

export interface StandingStep {
  readonly standing: Standing;
  readonly effects: readonly StandingEffect[];
  readonly wakeAt: number | undefined;
}

/** A Peer that was let in: signaling gives it a turn by itself. */
export function newStanding(self: PeerId, now: number): Standing {
  const enterAt = now + ENTER_AGAIN_MS;
  return { self, present: undefined, seen: new Set(), place: undefined, failures: 0, enterAt, over: false };
}

/** Applies one event at `now`, then does what is due. Never throws. */
export function reduce(standing: Standing, event: StandingEvent, now: number): StandingStep {
  const effects: StandingEffect[] = [];
  let next = apply(standing, event, now);
  if (next.over) {
    if (!standing.over) effects.push({ kind: 'failed' });
    return { standing: next, effects, wakeAt: undefined };
  }
  next = next.place ? keepPlace(next, next.place, now, effects) : askForPlace(next, now, effects);
  return { standing: next, effects, wakeAt: wakeOf(next) };
}

/** The first moment after `now` that is this leaf's: all leaves of the largest group spread evenly over ROTATE_MS. */
export function nextRotation(leaf: number, now: number): number {
  const slot = ((leaf % PEERS_MAX) * ROTATE_MS) / PEERS_MAX;
  const turn = Math.floor((now - slot) / ROTATE_MS) + 1;
  return turn * ROTATE_MS + slot;
}

function apply(standing: Standing, event: StandingEvent, now: number): Standing {
  switch (event.kind) {
    case 'epoch':
      return enterEpoch(standing, event, now);
    case 'lost':
      return lose(standing, now);
    case 'noPlace':
      return event.final
        ? { ...standing, place: undefined, over: true }
        : tryAgain(standing, standing.failures + 1, now);
    case 'present': {
      const present = new Set(event.peers);
      return { ...standing, present, seen: new Set([...standing.seen, ...present]) };
    }
    case 'raceLost': {
      const { place } = standing;
      if (!place) return standing;
      const lostRaces = place.lostRaces + 1;
      return { ...standing, place: { ...place, lostRaces, rotateAt: Math.min(place.rotateAt, now + ROTATE_AGAIN_MS) } };
    }
    default:
      return standing;
  }
}

function enterEpoch(
  standing: Standing,
  { epoch, members, by }: StandingEvent & { kind: 'epoch' },
  now: number,
): Standing {
  const { place: before, self } = standing;
  const leaf = members.find(({ peerId }) => peerId === self)?.leaf ?? 0;
  const peers = members.toSorted((a, b) => a.leaf - b.leaf).map(({ peerId }) => peerId);
  const renewedAt = new Map(peers.map((peerId) => [peerId, before?.renewedAt.get(peerId) ?? now]));
  if (by !== '') renewedAt.set(by, now);
  const rotateAt = before && by !== self ? before.rotateAt : nextRotation(leaf, now);
  const stale = new Set([...(before?.stale ?? [])].filter((peerId) => peerId !== by && renewedAt.has(peerId)));
  const rest = { suspects: before?.suspects ?? new Map<PeerId, Suspect>(), since: before?.since ?? now };
  const place: Place = { epoch, leaf, members: peers, rotateAt, lostRaces: 0, renewedAt, stale, ...rest };
  // Of people who come and go for hours only those who are here are remembered.
  const known = new Set([...peers, ...(standing.present ?? [])]);
  return { ...standing, place, seen: new Set([...standing.seen].filter((peerId) => known.has(peerId))) };
}

function lose(standing: Standing, now: number): Standing {
  const { place } = standing;
  const failures = place && now - place.since >= HELD_MS ? 1 : standing.failures + 1;
  return tryAgain({ ...standing, place: undefined }, failures, now);
}

function tryAgain(standing: Standing, failures: number, now: number): Standing {
  const pause = failures <= 1 ? 0 : Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** (failures - 2));
  return { ...standing, failures, enterAt: now + pause };
}

function askForPlace(standing: Standing, now: number, effects: StandingEffect[]): Standing {
  if (now < standing.enterAt) return standing;
  effects.push({ kind: 'enter' });
  return { ...standing, enterAt: now + ENTER_AGAIN_MS };
}

function keepPlace(standing: Standing, given: Place, now: number, effects: StandingEffect[]): Standing {
  if (given.lostRaces >= LOST_RACES_MAX) {
    effects.push({ kind: 'giveUp', reason: 'behind' });
    return { ...standing, place: { ...given, lostRaces: 0 } };
  }
  let place = { ...given, suspects: suspectsOf(standing, given, now) };
  place = { ...place, suspects: judgeSuspects(place.suspects, now, effects) };
  place = { ...place, stale: showStale(place, standing.self, now, effects) };
  if (now >= place.rotateAt) {
    // Alone there is nobody to keep a key from.
    if (place.members.length > 1) effects.push({ kind: 'rotate' });
    place = { ...place, rotateAt: nextRotation(place.leaf, now) };
  }
  return { ...standing, place };
}

/** Members who are not in the Room, by what signaling says. */
function suspectsOf({ self, present, seen }: Standing, place: Place, now: number): ReadonlyMap<PeerId, Suspect> {
  const suspects = new Map<PeerId, Suspect>();
  if (!present) return suspects;
  const rank = place.members.filter((peerId) => present.has(peerId)).indexOf(self);
  for (const peerId of place.members) {
    if (peerId === self || present.has(peerId)) continue;
    const kind = seen.has(peerId) ? 'removalWithheld' : 'ghost';
    const proposeAt = now + SUSPECT_MS + Math.max(0, rank) * SUSPECT_SPREAD_MS;
    suspects.set(peerId, place.suspects.get(peerId) ?? { kind, since: now, warned: false, proposeAt });
  }
  return suspects;
}

function judgeSuspects(
  suspects: ReadonlyMap<PeerId, Suspect>,
  now: number,
  effects: StandingEffect[],
): ReadonlyMap<PeerId, Suspect> {
  const judged = new Map(suspects);
  for (const kind of ['removalWithheld', 'ghost'] as const) {
    const shown = [...judged].filter(([, one]) => one.kind === kind && !one.warned && now >= one.since + SUSPECT_MS);
    for (const [peerId, one] of shown) judged.set(peerId, { ...one, warned: true });
    const peers = shown.map(([peerId]) => peerId);
    if (peers.length > 0) effects.push({ kind: 'warn', warning: { kind, peers, reason: 'not-in-room' } });
  }
  const due = [...judged].filter(([, one]) => now >= one.proposeAt);
  for (const [peerId, one] of due) judged.set(peerId, { ...one, proposeAt: now + SUSPECT_AGAIN_MS });
  if (due.length > 0) effects.push({ kind: 'remove', peers: due.map(([peerId]) => peerId) });
  return judged;
}

function showStale(place: Place, self: PeerId, now: number, effects: StandingEffect[]): ReadonlySet<PeerId> {
  const late = place.members.filter((peerId) => {
    const renewedAt = place.renewedAt.get(peerId) ?? now;
    return peerId !== self && !place.stale.has(peerId) && now - renewedAt >= STALE_MS;
  });
  if (late.length === 0) return place.stale;
  effects.push({ kind: 'warn', warning: { kind: 'staleLeaf', peers: late, reason: 'not-renewed' } });
  return new Set([...place.stale, ...late]);
}

function wakeOf({ place, enterAt, self }: Standing): number {
  if (!place) return enterAt;
  const times = [place.rotateAt];
  for (const { since, warned, proposeAt } of place.suspects.values())
    times.push(warned ? proposeAt : since + SUSPECT_MS);
  for (const [peerId, renewedAt] of place.renewedAt)
    if (peerId !== self && !place.stale.has(peerId)) times.push(renewedAt + STALE_MS);
  return Math.min(...times);
}
