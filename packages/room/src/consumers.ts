/** What Peers receive: asked for, made, started, closed; and the tiles by which their layers are chosen. */
import { BATCH_MAX, type ConsumerId, type PeerId, type ProducerId, type TileView } from '@veilcast/protocol';
import { byPlacement, settle } from './layers.ts';
import type { Consumer, EventOf, Peer, RoomState, Step } from './state.ts';
import { asker, findProducer, isAt, refuse, step, tell, without, withPeer } from './step.ts';

/** Of these Producers, those that this Peer may start to consume: there, not its own, and not consumed or asked for already. */
export function consumable(
  state: RoomState,
  peerId: PeerId,
  producerIds: readonly ProducerId[],
): readonly ProducerId[] {
  const peer = asker(state, peerId, 'consume');
  if (typeof peer === 'string') return [];
  const here = [...peer.consumers.values()].filter(({ placement }) => placement.nodeId === peer.placement?.nodeId);
  const taken = new Set(here.map((consumer) => consumer.producerId));
  return [...new Set(producerIds)].filter((producerId) => {
    const owner = findProducer(state, producerId)?.owner;
    return owner !== undefined && owner.peerId !== peerId && !taken.has(producerId) && !peer.asked.has(producerId);
  });
}

/** What is gone meanwhile is left out. */
export function consume(state: RoomState, { peerId, producerIds }: EventOf<'consume'>): Step {
  const peer = asker(state, peerId, 'consume');
  if (typeof peer === 'string') return refuse(state, peer);
  if (peer.displaced) return refuse(state, 'NODE_UNREACHABLE');
  const asked = consumable(state, peerId, producerIds);
  if (asked.length === 0) return step(state);
  return step(withPeer(state, { ...peer, asked: new Set([...peer.asked, ...asked]) }), [{ kind: 'putDemand' }]);
}

function notAsked(peer: Peer, producerId: ProducerId): Peer {
  return { ...peer, asked: new Set([...peer.asked].filter((asked) => asked !== producerId)) };
}

/** Whose Producer cannot be decoded is told, and may send it in another codec. */
export function consumeFailed(state: RoomState, event: EventOf<'consumeFailed'>): Step {
  const { peerId, producerId, undecodable } = event;
  const peer = state.peers.get(peerId);
  if (!peer?.asked.has(producerId)) return step(state);
  const owner = undecodable ? findProducer(state, producerId)?.owner : undefined;
  return step(withPeer(state, notAsked(peer, producerId)), [
    ...tell(owner ? [owner] : [], { name: 'producerUndecodable', body: { producerId } }),
    { kind: 'putDemand' },
  ]);
}

/** The Node has made it. If its Producer went meanwhile, or there is one for it already, it is closed again. */
export function consumed(state: RoomState, { peerId, consumer }: EventOf<'consumed'>): Step {
  const peer = asker(state, peerId, 'consume');
  if (typeof peer === 'string') return refuse(state, peer);
  const { consumerId, producerId, placement } = consumer;
  if (peer.consumers.has(consumerId)) return step(state);
  const owner = findProducer(state, producerId)?.owner;
  const second = [...peer.consumers.values()].some(
    (other) => other.producerId === producerId && other.placement.nodeId === placement.nodeId,
  );
  if (!owner || owner.peerId === peerId || second || !isAt(peer, placement)) {
    return refuse(state, 'NOT_FOUND', [{ kind: 'closeConsumers', consumerIds: [consumerId], placement }]);
  }
  const fresh: Consumer = {
    ...consumer,
    spatialLayers: Math.max(1, Math.floor(consumer.spatialLayers) || 1),
    started: false,
    paused: true,
    held: false,
  };
  const consumers = new Map(peer.consumers).set(consumerId, fresh);
  // Of where it was before it was moved: what it asked for since is still to come.
  const awaited = placement.nodeId === peer.placement?.nodeId && peer.asked.has(producerId);
  const settled = settle(state, { ...(awaited ? notAsked(peer, producerId) : peer), consumers }, [fresh]);
  const next = withPeer(state, settled.peer);
  return step(next, awaited ? settled.effects : [...settled.effects, { kind: 'putDemand' }]);
}

/** Those of the ids that are this Peer's Consumers; what the server closed while the request travelled is left out. */
function own(peer: Peer, consumerIds: readonly ConsumerId[]): readonly Consumer[] {
  return [...new Set(consumerIds)].flatMap((consumerId) => peer.consumers.get(consumerId) ?? []);
}

export function resumeConsumers(state: RoomState, peerId: PeerId, consumerIds: readonly ConsumerId[]): Step {
  const peer = asker(state, peerId);
  if (typeof peer === 'string') return refuse(state, peer);
  const mine = own(peer, consumerIds);
  if (mine.length === 0) return refuse(state, 'NOT_FOUND');
  const starting = mine.filter((consumer) => !consumer.started).map((consumer) => ({ ...consumer, started: true }));
  if (starting.length === 0) return step(state);
  const settled = settle(state, peer, starting);
  return step(withPeer(state, settled.peer), settled.effects);
}

export function closeConsumers(state: RoomState, peerId: PeerId, consumerIds: readonly ConsumerId[]): Step {
  const peer = asker(state, peerId);
  if (typeof peer === 'string') return refuse(state, peer);
  const mine = own(peer, consumerIds);
  if (mine.length === 0) return refuse(state, 'NOT_FOUND');
  const ids = mine.map((consumer) => consumer.consumerId);
  return step(withPeer(state, { ...peer, consumers: without(peer.consumers, ids) }), [
    ...byPlacement(mine).map((at) => ({ kind: 'closeConsumers' as const, ...at })),
    { kind: 'putDemand' },
  ]);
}

export function consumerGone(state: RoomState, { peerId, consumerId }: EventOf<'consumerGone'>): Step {
  const peer = state.peers.get(peerId);
  const consumer = peer?.consumers.get(consumerId);
  if (!peer || !consumer) return step(state);
  const next = withPeer(state, { ...peer, consumers: without(peer.consumers, [consumerId]) });
  const { producerId } = consumer;
  return step(next, [
    ...tell([peer], { name: 'consumerClosed', body: { consumerId, producerId } }),
    { kind: 'putDemand' },
  ]);
}

/**
 * Replaces what the Peer shows. A started Consumer that the picture does not mention is not shown; one that has not
 * started may have come into being while the picture travelled, so nothing is known of it.
 */
export function showTiles(state: RoomState, { peerId, tiles }: EventOf<'showTiles'>): Step {
  const peer = asker(state, peerId);
  if (typeof peer === 'string') return refuse(state, peer);
  const shown = new Map<ProducerId, TileView>();
  for (const tile of tiles.slice(0, BATCH_MAX)) {
    if (findProducer(state, tile.producerId)) shown.set(tile.producerId, tile);
  }
  // Who goes over from one Producer to the next speaks of the first until the second has a picture.
  for (const { producers } of state.peers.values()) {
    for (const { producerId, replaces } of producers.values()) {
      const tile = replaces && !shown.has(producerId) ? shown.get(replaces) : undefined;
      if (tile) shown.set(producerId, { ...tile, producerId });
    }
  }
  for (const { producerId, started } of peer.consumers.values()) {
    if (started && !shown.has(producerId)) shown.set(producerId, { producerId, width: 0, height: 0, visible: false });
  }
  if (sameTiles(peer.tiles, shown)) return step(state);
  const settled = settle(state, { ...peer, tiles: shown }, peer.consumers.values());
  return step(withPeer(state, settled.peer), settled.effects);
}

function sameTiles(a: ReadonlyMap<ProducerId, TileView>, b: ReadonlyMap<ProducerId, TileView>): boolean {
  if (a.size !== b.size) return false;
  return [...b].every(([producerId, tile]) => {
    const before = a.get(producerId);
    return (
      before?.width === tile.width &&
      before.height === tile.height &&
      before.visible === tile.visible &&
      before.pinned === tile.pinned
    );
  });
}
