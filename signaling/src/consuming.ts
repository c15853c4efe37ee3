/**
 * `consume`: a batch of Producers becomes Consumers. The wants stand before the Node is asked, so that the cascade
 * brings the media while the Node waits for it. What is gone meanwhile is left out of the answer.
 */
import { jsonOf, readJson } from '@veilcast/control';
import {
  ClusterError,
  ConsumerView,
  parseWith,
  RtpParameters,
  type ProducerId,
  type RequestBody,
  type RequestResult,
} from '@veilcast/protocol';
import { consumable, type Consumer } from '@veilcast/room';
import { z } from 'zod';
import { placementOf, type Asked } from './asked.ts';

/** A Pipe across the world is made in a second. Longer: one lost Producer delays its batch. Shorter: slow regions are refused. */
const ARRIVAL_MS = 6_000;

type Capabilities = ReturnType<typeof jsonOf>;

/** Just enough of RTP parameters to know how many spatial layers come: `L3T3`, `S3T3`, `L3T3_KEY`. */
const Encodings = z.object({ encodings: z.array(z.object({ scalabilityMode: z.string().max(32).optional() })).max(8) });

/** @throws ClusterError of the first failure, where nothing could be consumed for another reason than being gone */
export async function consume(
  asked: Asked,
  { producerIds, rtpCapabilities }: RequestBody<'consume'>,
  reply: (result: RequestResult<'consume'>) => void,
): Promise<void> {
  const { room, peerId } = asked;
  placementOf(asked);
  const wanted = consumable(room.state, peerId, producerIds);
  room.ask({ kind: 'consume', peerId, producerIds: wanted });
  const capabilities = jsonOf(rtpCapabilities);
  const made = await Promise.allSettled(wanted.map((producerId) => consumeOne(asked, producerId, capabilities)));
  const failures = made.flatMap((one) => (one.status === 'rejected' ? [ClusterError.of(one.reason)] : []));
  for (const { cause } of failures.filter(({ code }) => code === 'INTERNAL')) asked.services.bug(cause);
  const failure = failures.find(({ code }) => code !== 'NOT_FOUND' && code !== 'CLOSED');
  // While the last of the batch came, the first may have gone again.
  const present = room.state.peers.get(peerId)?.consumers;
  const consumers = made.flatMap((one) =>
    one.status === 'fulfilled' && present?.has(one.value.consumerId) ? [one.value] : [],
  );
  if (consumers.length === 0 && failure !== undefined) throw failure;
  reply({ consumers });
}

async function consumeOne(asked: Asked, producerId: ProducerId, capabilities: Capabilities): Promise<ConsumerView> {
  const { room, peerId } = asked;
  const placement = placementOf(asked);
  const { nodeId } = placement;
  const signal = room.seated(peerId)?.gone.signal;
  try {
    const answer = await room.nodes.ask(
      nodeId,
      'consume',
      { peerId, producerId, rtpCapabilities: capabilities },
      { deadlineMs: ARRIVAL_MS, ...(signal ? { signal } : {}) },
    );
    if (room.seated(peerId)?.early.isGone(answer.consumerId) || room.state.peers.get(peerId)?.placement !== placement)
      throw new ClusterError('NOT_FOUND');
    const owner = [...room.state.peers.values()].find((peer) => peer.producers.has(producerId));
    const view = parseWith(ConsumerView, {
      consumerId: answer.consumerId,
      producerId,
      // Gone meanwhile: the reducer refuses the Consumer, and this view is shown to nobody.
      peerId: owner?.peerId ?? peerId,
      kind: answer.kind,
      type: answer.type,
      rtpParameters: readJson(answer.rtpParameters, RtpParameters),
      producerPaused: owner?.producers.get(producerId)?.paused ?? answer.producerPaused,
      path: [...answer.path],
    });
    room.ask({ kind: 'consumed', peerId, consumer: { ...consumerOf(view), placement } });
    return view;
  } catch (thrown) {
    const undecodable = ClusterError.of(thrown).code === 'CANNOT_CONSUME';
    room.apply({ kind: 'consumeFailed', peerId, producerId, undecodable });
    throw thrown;
  }
}

/** As a Node makes it: paused, on its highest layer. */
function consumerOf(view: ConsumerView): Omit<Consumer, 'held' | 'placement'> {
  const spatialLayers = spatialLayersOf(view.rtpParameters);
  return {
    consumerId: view.consumerId,
    producerId: view.producerId,
    kind: view.kind,
    spatialLayers,
    started: false,
    paused: true,
    spatial: spatialLayers - 1,
  };
}

function spatialLayersOf(rtpParameters: unknown): number {
  const mode = Encodings.safeParse(rtpParameters).data?.encodings[0]?.scalabilityMode ?? '';
  return Number(/^[LS]([1-8])T/.exec(mode)?.[1] ?? 1);
}
