/**
 * One seated Peer's requests, by name. Those that a reducer can answer are one step; those that a Node must carry out
 * ask the reducer first, then the Node, then take the step, because much may have changed while the Node worked.
 */
import { jsonOf, readJson } from '@veilcast/control';
import {
  ClusterError,
  RtpCapabilities,
  type AnyRequest,
  type PeerId,
  type ProducerId,
  type RequestBody,
  type RequestName,
  type RequestResult,
} from '@veilcast/protocol';
import { whyNotProduce } from '@veilcast/room';
import { placementOf, transportOf, type Asked } from './asked.ts';
import { consume } from './consuming.ts';
import type { RoomOwner } from './room-owner.ts';
import type { RoomServices } from './room-services.ts';

/** Where no TURN server was set up: nobody asks again for the rest of the day. */
const NO_TURN_MS = 86_400_000;

type SeatRequest = Exclude<RequestName, 'join' | 'resume'>;
type Reply<N extends RequestName> = (result: RequestResult<N>) => void;

const REQUESTS: {
  readonly [N in SeatRequest]: (asked: Asked, body: RequestBody<N>, reply: Reply<N>) => void | Promise<void>;
} = {
  knock: ({ room, peerId }, { name }, reply) => room.ask({ kind: 'knock', peerId, name }, () => reply({})),
  connectTransport: async (asked, { transportId, dtlsParameters }, reply) => {
    const { nodeId } = transportOf(asked, transportId);
    const seated = asked.room.seated(asked.peerId);
    if (seated?.awaits === transportId) seated.awaits = undefined;
    const body = { peerId: asked.peerId, transportId, dtlsParameters: jsonOf(dtlsParameters) };
    await asked.room.nodes.ask(nodeId, 'connectTransport', body);
    reply({});
  },
  iceServers: (asked, _body, reply) => {
    const { region } = placementOf(asked);
    const arrival = asked.room.seated(asked.peerId)?.arrival;
    if (arrival === undefined) throw new ClusterError('NOT_JOINED');
    reply(asked.services.turn.listFor({ ...arrival, region }) ?? { servers: [], ttlMs: NO_TURN_MS });
  },
  restartIce: async (asked, { transportId }, reply) => {
    const { nodeId } = transportOf(asked, transportId);
    const answer = await asked.room.nodes.ask(nodeId, 'restartIce', { peerId: asked.peerId, transportId });
    // The same bounds as any other JSON of mediasoup's.
    reply({ iceParameters: readJson(answer.iceParameters, RtpCapabilities) });
  },
  produce,
  closeProducer: ({ room, peerId }, { producerId }, reply) =>
    room.ask({ kind: 'closeProducer', peerId, producerId }, () => reply({})),
  pauseProducer: ({ room, peerId }, { producerId }, reply) =>
    room.ask({ kind: 'pauseProducer', peerId, producerId, paused: true }, () => reply({})),
  resumeProducer: ({ room, peerId }, { producerId }, reply) =>
    room.ask({ kind: 'pauseProducer', peerId, producerId, paused: false }, () => reply({})),
  consume,
  resumeConsumers: ({ room, peerId }, { consumerIds }, reply) =>
    room.ask({ kind: 'resumeConsumers', peerId, consumerIds }, () => reply({})),
  closeConsumers: ({ room, peerId }, { consumerIds }, reply) =>
    room.ask({ kind: 'closeConsumers', peerId, consumerIds }, () => reply({})),
  requestKeyFrames: (asked, { consumerIds }, reply) => {
    const { nodeId } = placementOf(asked);
    const own = asked.room.state.peers.get(asked.peerId)?.consumers;
    const known = consumerIds.filter((consumerId) => own?.has(consumerId));
    if (known.length > 0) asked.room.nodes.act(nodeId, 'requestKeyFrames', { consumerIds: known });
    reply({});
  },
  showTiles: ({ room, peerId }, { tiles }, reply) => room.ask({ kind: 'showTiles', peerId, tiles }, () => reply({})),
  groupCommit: (asked, body, reply) => {
    placementOf(asked);
    asked.room.group.commit(asked.peerId, body, (epoch) => reply({ epoch }));
  },
  groupOffer: (asked, body, reply) => {
    placementOf(asked);
    asked.room.group.offer(asked.peerId, body, () => reply({}));
  },
  groupRejoin: (asked, _body, reply) => {
    placementOf(asked);
    asked.room.group.rejoin(asked.peerId, () => reply({}));
  },
  groupMessage: (asked, body, reply) => {
    placementOf(asked);
    asked.room.group.message(asked.peerId, body, () => reply({}));
  },
  attestations: async ({ room, services }, { peers }, reply) => {
    const seated = peers.flatMap((peerId) => {
      const proven = room.provenOf(peerId);
      return proven === undefined ? [] : [{ peerId, proven }];
    });
    const { head, attestations } = await services.identities.attestations(seated.map(({ proven }) => proven));
    reply({
      head,
      attestations: seated.flatMap(({ peerId }, i) => {
        const attestation = attestations[i];
        return attestation === undefined ? [] : [{ peerId, attestation }];
      }),
    });
  },
  moved: ({ room, peerId }, _body, reply) => room.ask({ kind: 'moved', peerId }, () => reply({})),
  setLocked: ({ room, peerId }, { locked }, reply) => room.ask({ kind: 'setLocked', peerId, locked }, () => reply({})),
  admit: ({ room, peerId }, { peerId: target }, reply) => room.ask({ kind: 'admit', peerId, target }, () => reply({})),
  deny: ({ room, peerId }, { peerId: target }, reply) => room.ask({ kind: 'deny', peerId, target }, () => reply({})),
  kick: ({ room, peerId }, { peerId: target }, reply) => room.ask({ kind: 'kick', peerId, target }, () => reply({})),
  leave: ({ room, peerId }, _body, reply) => room.leave(peerId, () => reply({})),
};

/** @throws ClusterError, and then has not replied */
export async function carryOutRequest(
  room: RoomOwner,
  services: RoomServices,
  peerId: PeerId,
  request: AnyRequest,
  reply: (result: unknown) => void,
): Promise<void> {
  if (request.name === 'join' || request.name === 'resume') throw new ClusterError('ALREADY_JOINED');
  const act = REQUESTS[request.name] as (asked: Asked, body: unknown, reply: (result: unknown) => void) => unknown;
  await act({ room, services, peerId }, request.body, reply);
}

async function produce(asked: Asked, body: RequestBody<'produce'>, reply: Reply<'produce'>): Promise<void> {
  const { room, services, peerId } = asked;
  const { kind, source, rtpParameters, paused } = body;
  if (room.seated(peerId)?.awaits !== undefined) throw new ClusterError('NODE_UNREACHABLE');
  const placement = placementOf(asked);
  const refusal = whyNotProduce(room.state, peerId, kind, source, placement);
  if (refusal !== undefined) throw new ClusterError(refusal);
  const { nodeId } = placement;
  const producerId = services.random.id('prod') as ProducerId;
  try {
    await room.nodes.ask(nodeId, 'produce', {
      peerId,
      producerId,
      kind,
      rtpParameters: jsonOf(rtpParameters),
      paused,
    });
    if (room.seated(peerId)?.early.isGone(producerId) || room.state.peers.get(peerId)?.placement !== placement)
      throw new ClusterError('CLOSED');
    room.ask({ kind: 'produced', peerId, producer: { producerId, kind, source, paused, placement } }, () =>
      reply({ producerId }),
    );
  } catch (thrown) {
    // Made after its Peer went, or made although no answer came.
    room.nodes.act(nodeId, 'closeProducer', { producerId });
    throw thrown;
  }
}
