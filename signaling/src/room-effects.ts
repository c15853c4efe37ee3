/** The effects of a Room that one call to a Node carries out. */
import type { RoomEffect } from '@veilcast/room';
import type { RoomNodes } from './room-nodes.ts';

/** Above any temporal layer there is: the Node takes the highest. */
const TEMPORAL_TOP = 7;

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
      return nodes.act(nodeId, 'pauseConsumers', { consumerIds: [...effect.consumerIds], paused: effect.paused });
    case 'closeConsumers':
      return nodes.act(nodeId, 'closeConsumers', { consumerIds: [...effect.consumerIds] });
    case 'setLayers':
      return nodes.act(nodeId, 'setLayers', {
        consumerId: effect.consumerId,
        spatial: effect.spatial,
        temporal: TEMPORAL_TOP,
      });
  }
}
