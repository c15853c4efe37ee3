/**
 * What a Node tells unasked, as events of the Room. Only the Node on which a Peer stands may speak of it: a late word
 * from where it stood before changes nothing.
 */
import type { EventKind } from '@veilcast/control';
import { ErrorCode, type ConsumerId, type PeerId, type ProducerId } from '@veilcast/protocol';
import type { Heard, Peer, RoomEffect, RoomEvent, RoomState } from '@veilcast/room';
import type { Seated } from './seated.ts';

type Tell = Extract<RoomEffect, { kind: 'tell' }>;

/** In one word of a Node: it tells the loudest few of each Router. */
const VOICES_MAX = 32;

/** States of a transport that nothing follows. */
const OVER: ReadonlySet<string> = new Set(['failed', 'closed']);

export function eventsOfNode(
  state: RoomState,
  seatedOf: (peerId: PeerId) => Seated | undefined,
  nodeId: string,
  event: EventKind,
): readonly (RoomEvent | Tell)[] {
  if (event.case === 'voicesHeard') return [{ kind: 'heard', voices: voicesOn(state, nodeId, event.value.voices) }];
  if (!('roomId' in event.value) || !('peerId' in event.value)) return [];
  const peerId = event.value.peerId as PeerId;
  const peer = state.peers.get(peerId);
  const early = seatedOf(peerId)?.early;
  const isComing = peer?.status === 'placing' || peer?.displaced === true;
  if (event.case === 'peerGone' && isComing && early) early.peerGone = reasonOf(event.value.reason);
  if (peer && peer.former?.placement.nodeId === nodeId) return eventsOfFormer(peer, event);
  if (peer?.placement?.nodeId !== nodeId) return [];
  switch (event.case) {
    case 'transportChanged': {
      const { transportId, state: now } = event.value;
      return OVER.has(now) && seatedOf(peerId)?.transports.has(transportId) === true
        ? [{ kind: 'lost', peerId, code: 'TRANSPORT_FAILED' }]
        : [];
    }
    case 'producerGone':
      early?.note(event.value.producerId);
      return [{ kind: 'closeProducer', peerId, producerId: event.value.producerId as ProducerId }];
    case 'consumerGone':
      early?.note(event.value.consumerId);
      return [{ kind: 'consumerGone', peerId, consumerId: event.value.consumerId as ConsumerId }];
    case 'layersChanged':
      return layersChanged(peer, event.value);
    case 'peerGone':
      return [{ kind: 'displaced', peerId }];
    default:
      return [];
  }
}

/** The voices of Peers that stand on this Node, louder than nothing. */
function voicesOn(
  state: RoomState,
  nodeId: string,
  voices: readonly { readonly producerId: string; readonly level: number }[],
): Heard[] {
  const here = new Set<string>();
  for (const { placement, producers } of state.peers.values()) {
    if (placement?.nodeId === nodeId) for (const producerId of producers.keys()) here.add(producerId);
  }
  return voices
    .slice(0, VOICES_MAX)
    .filter(({ producerId }) => here.has(producerId))
    .map(({ producerId, level }) => ({
      producerId: producerId as ProducerId,
      level: Math.max(-127, Math.min(0, level)),
    }));
}

/** Where it was before it was moved: what is over there is over, and its client closes those transports itself. */
function eventsOfFormer(peer: Peer, event: EventKind): readonly (RoomEvent | Tell)[] {
  const { peerId } = peer;
  if (event.case === 'peerGone') return [{ kind: 'moveOver', peerId }];
  if (event.case === 'consumerGone') {
    return [{ kind: 'consumerGone', peerId, consumerId: event.value.consumerId as ConsumerId }];
  }
  return event.case === 'layersChanged' ? layersChanged(peer, event.value) : [];
}

/** Its media is over and we do not know it: what a former owner of the Room left, or what we closed while the Node was away. */
export function isStray(
  state: RoomState,
  isSeated: (peerId: PeerId) => boolean,
  { peerId, state: now }: { readonly peerId: string; readonly state: string },
): boolean {
  const known = state.peers.has(peerId as PeerId) || isSeated(peerId as PeerId);
  return !known && OVER.has(now);
}

/** Who stands on a Node that is gone gets another place. */
export function displacedWithNode(state: RoomState, nodeId: string): readonly RoomEvent[] {
  return [...state.peers.values()].flatMap(({ peerId, placement, former }): RoomEvent[] => {
    if (placement?.nodeId === nodeId) return [{ kind: 'displaced', peerId }];
    return former?.placement.nodeId === nodeId ? [{ kind: 'moveOver', peerId }] : [];
  });
}

function reasonOf(reason: string): ErrorCode {
  return ErrorCode.catch('NODE_UNREACHABLE').parse(reason);
}

/** Below zero: none is sent. */
function layer(value: number): number | null {
  return value < 0 ? null : Math.min(value, 7);
}

function layersChanged(
  peer: Peer,
  changed: { readonly consumerId: string; readonly spatial: number; readonly temporal: number },
): readonly Tell[] {
  const consumerId = changed.consumerId as ConsumerId;
  if (!peer.consumers.has(consumerId)) return [];
  const body = { consumerId, spatial: layer(changed.spatial), temporal: layer(changed.temporal) };
  return [{ kind: 'tell', peerIds: [peer.peerId], event: { name: 'consumerLayers', body } }];
}
