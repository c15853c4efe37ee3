/** The effects of a Room that one call to a Node carries out. */
import { BATCH_MAX } from '@veilcast/protocol';
import type { RoomEffect } from '@veilcast/room';
import type { RoomNodes } from './room-nodes.ts';

/** Above any temporal layer there is: the Node takes the highest. */
const TEMPORAL_TOP = 7;

/** As many as one call may name. */
function batches<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / BATCH_MAX);
  return Array.from({ length: count }, (_, batch) => all.slice(batch * BATCH_MAX, (batch + 1) * BATCH_MAX));
}

type NodeEffect = Extract<RoomEffect, { readonly placement: unknown }>;

export function nodeEffect(nodes: RoomNodes, effect: NodeEffect): void {
  const { nodeId } = effect.placement;
  switch (effect.kind) {
    case 'closePeer':
      return nodes.act(nodeId, 'closePeer', { peerId: effect.peerId });
    case 'closeProducer':
      return nodes.act(nodeId, 'closeProducer', { producerId: effect.producerId });
    case 'pauseProducer':
      return nodes.act(nodeId, 'pauseProducer', { producerId: effect.producerId, paused: effect.paused });
    case 'pauseConsumers':
      for (const consumerIds of batches(effect.consumerIds)) {
        nodes.act(nodeId, 'pauseConsumers', { consumerIds, paused: effect.paused });
      }
      return;
    case 'closeConsumers':
      for (const consumerIds of batches(effect.consumerIds)) nodes.act(nodeId, 'closeConsumers', { consumerIds });
      return;
    case 'listen':
      return nodes.act(nodeId, 'listenVoices', { on: effect.on });
    case 'setLayers':
      return nodes.act(nodeId, 'setLayers', {
        consumerId: effect.consumerId,
        spatial: effect.spatial,
        temporal: TEMPORAL_TOP,
      });
  }
}
