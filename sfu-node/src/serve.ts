/**
 * The call table of a node: who may make each call, under which Lease, and what it does. Signaling acts on Peers under the
 * Room's Term, the cascade-router on Pipes under the Plan's; a lower Term than one already seen is refused.
 * What asks to close something that is not there is answered as done: it is.
 */
import {
  jsonOf,
  resultOf,
  type AuthorityKind,
  type Channel,
  type Incoming,
  type Result,
  type Serve,
  type TermMemory,
} from '@veilcast/control';
import { ClusterError, type Clock, parseWith, RoomId } from '@veilcast/protocol';
import { announcedOf } from './codecs.ts';
import { CALLS, isNodeCall, type Fields, type NodeCall } from './calls.ts';
import { media } from './media/errors.ts';
import type { Rooms } from './rooms.ts';

interface Context {
  readonly rooms: Rooms;
  readonly roomId: string;
  readonly signal: AbortSignal;
}
type Row<N extends NodeCall> = (fields: Fields<N>, context: Context) => Promise<Result | void> | void;
type Table = { readonly [N in NodeCall]?: Row<N> };

/** What signaling asks for. */
const ROOM_CALLS = {
  openPeer: async ({ peerId, workerId }, { rooms, roomId }) => {
    const peer = await rooms.openPeer(roomId, peerId, workerId);
    const { routerRtpCapabilities, send, recv } = peer.answer();
    const options = (side: typeof send) => ({
      id: side.id,
      iceParameters: jsonOf(side.iceParameters),
      iceCandidates: jsonOf(side.iceCandidates),
      dtlsParameters: jsonOf(side.dtlsParameters),
    });
    return resultOf('openedPeer', {
      routerRtpCapabilities: jsonOf(routerRtpCapabilities),
      send: options(send),
      recv: options(recv),
    });
  },
  connectTransport: ({ peerId, transportId, dtlsParameters }, { rooms, roomId }) =>
    rooms.get(roomId).peer(peerId).connect(transportId, dtlsParameters),
  restartIce: async ({ peerId, transportId }, { rooms, roomId }) => {
    const iceParameters = await rooms.get(roomId).peer(peerId).restartIce(transportId);
    return resultOf('restartedIce', { iceParameters: jsonOf(iceParameters) });
  },
  produce: async ({ peerId, ...wanted }, { rooms, roomId }) => {
    await rooms.get(roomId).peer(peerId).produce(wanted);
    return resultOf('produced', {});
  },
  closeProducer: ({ producerId }, { rooms, roomId }) => rooms.find(roomId)?.closeProducer(producerId),
  pauseProducer: ({ producerId, paused }, { rooms, roomId }) => rooms.find(roomId)?.pauseProducer(producerId, paused),
  consume: async ({ peerId, producerId, rtpCapabilities }, { rooms, roomId, signal }) => {
    const peer = rooms.get(roomId).peer(peerId);
    const { consumer, from } = await peer.consume(producerId, rtpCapabilities, signal);
    return resultOf('consumed', {
      consumerId: consumer.id,
      kind: consumer.kind,
      type: consumer.type,
      rtpParameters: jsonOf(announcedOf(consumer.rtpParameters)),
      producerPaused: from.producer.paused,
      path: [...from.path],
    });
  },
  pauseConsumers: async ({ consumerIds, paused }, { rooms, roomId }) => {
    const found = rooms.get(roomId).consumers(consumerIds);
    await all(found.map(({ consumer }) => (paused ? consumer.pause() : consumer.resume())));
  },
  closeConsumers: ({ consumerIds }, { rooms, roomId }) => {
    for (const { peer, consumer } of rooms.find(roomId)?.consumers(consumerIds) ?? []) peer.closeConsumer(consumer.id);
  },
  setLayers: async ({ consumerId, spatial, temporal }, { rooms, roomId }) => {
    const [found] = rooms.get(roomId).consumers([consumerId]);
    if (!found) throw new ClusterError('NOT_FOUND', 'no such Consumer');
    await media(found.consumer.setPreferredLayers({ spatialLayer: spatial, temporalLayer: temporal }), 'NOT_FOUND');
  },
  requestKeyFrames: async ({ consumerIds }, { rooms, roomId }) => {
    const found = rooms.get(roomId).consumers(consumerIds);
    await all(found.flatMap(({ consumer }) => (consumer.kind === 'video' ? [consumer.requestKeyFrame()] : [])));
  },
  closePeer: ({ peerId }, { rooms, roomId }) => rooms.find(roomId)?.closePeer(peerId),
  listenVoices: ({ on }, { rooms, roomId }) => rooms.find(roomId)?.routers.listen(on),
  closeRoom: (_, { rooms, roomId }) => rooms.find(roomId)?.close(),
} as const satisfies Table;

/** What the cascade-router asks for. */
const PLAN_CALLS = {
  preparePipe: async ({ pipeId, workerId }, { rooms, roomId }) => {
    const pipe = await rooms.openPipe(roomId, pipeId, workerId);
    const { ip, port, srtpParameters } = pipe.answer();
    return resultOf('preparedPipe', { ip, port, srtpParameters: jsonOf(srtpParameters) });
  },
  connectPipe: ({ pipeId, workerId, ...remote }, { rooms, roomId }) =>
    rooms.get(roomId).connectPipe(pipeId, workerId, remote),
  sendOnPipe: async ({ pipeId, workerId, producerId }, { rooms, roomId }) => {
    const sent = await rooms.get(roomId).pipe(pipeId, workerId).send(producerId);
    const { kind, rtpParameters, paused, path } = sent;
    return resultOf('sentOnPipe', { kind, rtpParameters: jsonOf(rtpParameters), paused, path: [...path] });
  },
  receiveOnPipe: ({ pipeId, workerId, ...wanted }, { rooms, roomId }) =>
    rooms.get(roomId).pipe(pipeId, workerId).receive(wanted),
  stopOnPipe: ({ pipeId, workerId, producerId }, { rooms, roomId }) =>
    rooms.find(roomId)?.findPipe(pipeId, workerId)?.stop(producerId),
  pauseOnPipe: ({ pipeId, workerId, producerId, paused }, { rooms, roomId }) =>
    rooms.get(roomId).pipe(pipeId, workerId).pause(producerId, paused),
  closePipe: ({ pipeId, workerId }, { rooms, roomId }) => rooms.find(roomId)?.closePipe(pipeId, workerId),
} as const satisfies Table;

const AUTHORITIES = [
  { kind: 'room', by: 'signaling', table: ROOM_CALLS },
  { kind: 'plan', by: 'cascade-router', table: PLAN_CALLS },
] as const satisfies readonly { kind: AuthorityKind; by: string; table: Table }[];

export interface ServeOptions {
  readonly rooms: Rooms;
  readonly terms: TermMemory;
  readonly clock: Clock;
  /** An operator asks for it; the Node ends when it is empty. */
  readonly drain: () => void;
  readonly onRefused: (call: string, error: ClusterError) => void;
}

/** The node's side of every Channel. */
export function serveNode(options: ServeOptions): Serve {
  return async (incoming, channel) => {
    try {
      return await answer(options, incoming, channel);
    } catch (error) {
      const refusal = ClusterError.of(error);
      options.onRefused(incoming.call.case, refusal);
      throw refusal;
    }
  };
}

async function answer(options: ServeOptions, incoming: Incoming, channel: Channel): Promise<Result | void> {
  const name = incoming.call.case;
  if (name === 'drain') {
    if (channel.remote.kind !== 'signaling') throw new ClusterError('FORBIDDEN', 'not a call of this kind of process');
    return options.drain();
  }
  if (!isNodeCall(name)) throw new ClusterError('UNSUPPORTED', 'a node has no such call');
  const authority = AUTHORITIES.find(({ table }) => Object.hasOwn(table, name));
  if (authority?.by !== channel.remote.kind) throw new ClusterError('FORBIDDEN', 'not a call of this kind of process');
  const roomId = parseWith(RoomId, incoming.authority.roomId);
  const fields: unknown = parseWith(CALLS[name], incoming.call.value);
  const { rooms, terms, clock } = options;
  const now = clock.now();
  terms.accept(authority.kind, roomId, incoming.authority.term, now);
  // One line of the table is picked by name, so its own type is known to fit; the compiler cannot follow that.
  const run = (authority.table as Record<string, Row<NodeCall>>)[name]!;
  const done = run(fields as never, { rooms, roomId, signal: incoming.signal });
  const room = rooms.find(roomId);
  const { processId, incarnation } = channel.remote;
  if (room) room[authority.kind === 'room' ? 'owner' : 'planner'] = { processId, incarnation, seenAt: now };
  return await done;
}

/** Waits for every one; a Consumer that goes this moment needs nothing any more. */
async function all(calls: readonly Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(calls.map((call) => media(call, 'NOT_FOUND')));
  const failures = settled.flatMap((one) => (one.status === 'rejected' ? [ClusterError.of(one.reason)] : []));
  const failure = failures.find(({ code }) => code !== 'NOT_FOUND');
  if (failure) throw failure;
}
