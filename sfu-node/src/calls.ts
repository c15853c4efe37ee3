/** The shape of every call that a node takes, checked before anything is done with it. mediasoup checks the inside of RTP parameters. */
import { readJson } from '@veilcast/control';
import type { wire } from '@veilcast/control';
import {
  ConsumerId,
  ConsumerIds,
  DtlsParameters,
  MediaKind,
  NodeId,
  PeerId,
  PipeId,
  ProducerId,
  RtpCapabilities,
  RtpParameters,
  TransportId,
  WorkerId,
} from '@veilcast/protocol';
import { z } from 'zod';
import type * as port from './media/port.ts';

/** A JSON field, read by a schema of its own; `T` is mediasoup's name for what it holds. */
function json<T>(schema: z.ZodType) {
  return z.custom<wire.Json>().transform((field): T => readJson<unknown>(field, schema) as T);
}

const peerId = PeerId;
const producerId = ProducerId;
const pipeId = PipeId;
/** Empty: the only end of the Pipe that is on this node. */
const ofWorker = z.union([z.literal(''), WorkerId]);
const paused = z.boolean();
const rtpParameters = json<port.RtpParameters>(RtpParameters);
const udpPort = z.number().int().min(1).max(65_535);
const layer = z.number().int().min(0).max(7);

const SrtpParameters = z.strictObject({
  cryptoSuite: z.literal('AEAD_AES_256_GCM'),
  keyBase64: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9+/]+=*$/),
});

export const CALLS = {
  openPeer: z.object({ peerId, workerId: WorkerId }),
  connectTransport: z.object({
    peerId,
    transportId: TransportId,
    dtlsParameters: json<port.DtlsParameters>(DtlsParameters),
  }),
  restartIce: z.object({ peerId, transportId: TransportId }),
  produce: z.object({ peerId, producerId, kind: MediaKind, rtpParameters, paused }),
  closeProducer: z.object({ producerId }),
  pauseProducer: z.object({ producerId, paused }),
  consume: z.object({ peerId, producerId, rtpCapabilities: json<port.RtpCapabilities>(RtpCapabilities) }),
  pauseConsumers: z.object({ consumerIds: ConsumerIds, paused }),
  closeConsumers: z.object({ consumerIds: ConsumerIds }),
  setLayers: z.object({ consumerId: ConsumerId, spatial: layer, temporal: layer }),
  requestKeyFrames: z.object({ consumerIds: ConsumerIds }),
  closePeer: z.object({ peerId }),
  closeRoom: z.object({}),
  listenVoices: z.object({ on: z.boolean() }),
  preparePipe: z.object({ pipeId, workerId: WorkerId }),
  connectPipe: z.object({
    pipeId,
    workerId: ofWorker,
    ip: z.union([z.ipv4(), z.ipv6()]),
    port: udpPort,
    srtpParameters: json<port.SrtpParameters>(SrtpParameters),
  }),
  sendOnPipe: z.object({ pipeId, workerId: ofWorker, producerId }),
  receiveOnPipe: z.object({
    pipeId,
    workerId: ofWorker,
    producerId,
    kind: MediaKind,
    rtpParameters,
    paused,
    path: z.array(NodeId).min(1).max(15),
  }),
  stopOnPipe: z.object({ pipeId, workerId: ofWorker, producerId }),
  pauseOnPipe: z.object({ pipeId, workerId: ofWorker, producerId, paused }),
  closePipe: z.object({ pipeId, workerId: ofWorker }),
} as const;

/** The calls that a node answers. */
export type NodeCall = keyof typeof CALLS;
/** A call's fields once checked. */
export type Fields<N extends NodeCall> = z.output<(typeof CALLS)[N]>;

export function isNodeCall(name: string): name is NodeCall {
  return Object.hasOwn(CALLS, name);
}
