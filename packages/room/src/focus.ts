/**
 * After each step: who has the floor now, and what that changes for everybody. The measuring of voices is asked for only
 * where it decides something, since a Node tells four times a second of each Router that somebody speaks on.
 */
import type { NodeId, ProducerId } from '@veilcast/protocol';
import { microphonesOf, sentIn, voicesOf } from './forwarding.ts';
import { settle } from './layers.ts';
import type { Peer, Placement, RoomEffect, RoomState, Step } from './state.ts';
import { inside, joined, withPeer } from './step.ts';
import { follow, NO_VOICES, type Heard, type Voices } from './voices.ts';

/** Voices are measured before they are chosen from, so that the first choice is not a blind one. */
const LISTEN_SHARE = 0.5;

export function attend(before: RoomState, taken: Step, heard: readonly Heard[], now: number): Step {
  if (taken.state === before && heard.length === 0) return taken;
  if (inside(taken.state).length === 0) {
    // The Room closes, and with it what the Nodes measure.
    return { ...taken, state: { ...taken.state, voices: NO_VOICES, listening: new Map() } };
  }
  const { voicesMax } = taken.state.policy;
  const voices = follow(before.voices, microphonesOf(taken.state), heard, voicesMax, now);
  const wanted = listenersIn(taken.state);
  const asked = asks(before.listening, wanted);
  const listening = asked.length === 0 ? before.listening : wanted;
  const settled = settleAll({ ...taken.state, voices, listening }, whomItConcerns(before, { ...taken.state, voices }));
  return { ...taken, state: settled.state, effects: [...taken.effects, ...asked, ...settled.effects] };
}

/** The Nodes that should measure: those with an open microphone, where there is something to choose. */
function listenersIn(state: RoomState): ReadonlyMap<NodeId, Placement> {
  const { voicesFrom, camerasMax } = state.policy;
  const sent = [...sentIn(state).values()].filter(({ producer }) => !producer.paused);
  const microphones = sent.filter(({ producer }) => producer.source === 'microphone');
  const cameras = sent.filter(({ producer }) => producer.source === 'camera');
  if (microphones.length <= voicesFrom * LISTEN_SHARE && cameras.length <= camerasMax) return new Map();
  return new Map(microphones.flatMap(({ owner: { placement } }) => (placement ? [[placement.nodeId, placement]] : [])));
}

function asks(before: ReadonlyMap<NodeId, Placement>, after: ReadonlyMap<NodeId, Placement>): RoomEffect[] {
  const begin = [...after].filter(([nodeId]) => !before.has(nodeId));
  const end = [...before].filter(([nodeId]) => !after.has(nodeId));
  return [
    ...begin.map(([, placement]): RoomEffect => ({ kind: 'listen', on: true, placement })),
    ...end.map(([, placement]): RoomEffect => ({ kind: 'listen', on: false, placement })),
  ];
}

/** Everybody where other voices are forwarded; who has more cameras than they get where the choice may be another. */
function whomItConcerns(before: RoomState, after: RoomState): readonly Peer[] {
  if (!sameIds(voicesOf(before), voicesOf(after))) return joined(after);
  const crowded = joined(after).filter(({ consumers }) =>
    [...consumers.values()].some(({ kind, held }) => held && kind === 'video'),
  );
  if (crowded.length === 0) return [];
  const { camerasMax } = after.policy;
  const isSame =
    openCameras(before) === openCameras(after) &&
    sameIds(lastSpeakers(before.voices, camerasMax), lastSpeakers(after.voices, camerasMax));
  if (!isSame) return crowded;
  return crowded.filter(({ peerId, consumers }) => (before.peers.get(peerId)?.consumers.size ?? 0) > consumers.size);
}

type Ids = { readonly size: number; has(producerId: ProducerId): boolean; keys(): Iterable<ProducerId> };

function sameIds(a: Ids | undefined, b: Ids | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return a === b;
  return a.size === b.size && [...a.keys()].every((producerId) => b.has(producerId));
}

function openCameras(state: RoomState): number {
  return [...sentIn(state).values()].filter(({ producer }) => producer.source === 'camera' && !producer.paused).length;
}

function lastSpeakers({ open }: Voices, max: number): ReadonlySet<ProducerId> {
  const byTime = [...open].sort(([, a], [, b]) => b.heardAt - a.heardAt);
  return new Set(byTime.slice(0, max).map(([producerId]) => producerId));
}

function settleAll(
  state: RoomState,
  peers: readonly Peer[],
): { readonly state: RoomState; readonly effects: readonly RoomEffect[] } {
  if (peers.length === 0) return { state, effects: [] };
  const sent = sentIn(state);
  let next = state;
  const effects: RoomEffect[] = [];
  for (const peer of peers) {
    const settled = settle(state, peer, peer.consumers.values(), sent);
    next = withPeer(next, settled.peer);
    effects.push(...settled.effects);
  }
  return { state: next, effects: pausesOfNodes(effects) };
}

/** One call a Node, and one demand, and not one a Peer. */
function pausesOfNodes(effects: readonly RoomEffect[]): RoomEffect[] {
  const rest: RoomEffect[] = [];
  const pauses = new Map<string, Extract<RoomEffect, { kind: 'pauseConsumers' }>>();
  let isDemandOut = false;
  for (const effect of effects) {
    if (effect.kind === 'putDemand' && isDemandOut) continue;
    isDemandOut ||= effect.kind === 'putDemand';
    if (effect.kind !== 'pauseConsumers') {
      rest.push(effect);
      continue;
    }
    const key = `${effect.placement.nodeId} ${effect.paused}`;
    const consumerIds = [...(pauses.get(key)?.consumerIds ?? []), ...effect.consumerIds];
    pauses.set(key, { ...effect, consumerIds });
  }
  // A layer stands before its picture runs; a voice that ends makes room before another begins.
  const [off, on] = [
    [...pauses.values()].filter(({ paused }) => paused),
    [...pauses.values()].filter(({ paused }) => !paused),
  ];
  return [...off, ...rest, ...on];
}
