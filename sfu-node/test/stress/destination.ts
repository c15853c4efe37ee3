/** Where packets go to: sockets of this process behind every kind of transport. */
import type { types } from 'mediasoup';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { certificate, dtlsClient } from '../dtls.ts';
import { Receiver } from './receiver.ts';

export type DestinationKind =
  'plain' | 'plain-v6' | 'plain-small' | 'pipe' | 'pipe-srtp' | 'webrtc' | 'webrtc-server' | 'nobody';

export interface Place {
  readonly router: types.Router;
  readonly webRtcServer: types.WebRtcServer;
  readonly producers: readonly types.Producer[];
}

export interface Destination {
  readonly receiver: Receiver;
  /** Goes on from another address. */
  readonly move?: () => Promise<void>;
  /** Packets of its Consumers, as the worker counts them. */
  counted(): Promise<number>;
  close(): Promise<void>;
}

const LISTEN = { protocol: 'udp', ip: '127.0.0.1' } as const;
const RECEIVE_BUFFER = 1 << 20;
/** The least that a kernel gives. */
const SMALL = 4_608;

async function listening(type: 'udp4' | 'udp6', ip: string): Promise<Socket> {
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER });
  socket.bind(0, ip);
  await once(socket, 'listening');
  return socket;
}

/** A transport that sends to this socket. */
async function ofSocket(kind: DestinationKind, { router }: Place, socket: Socket): Promise<types.Transport> {
  const { address: ip, port } = socket.address();
  if (kind === 'pipe' || kind === 'pipe-srtp') {
    const pipe = await router.createPipeTransport({ listenInfo: LISTEN, enableSrtp: kind === 'pipe-srtp' });
    // Keys of its own are as good as any here: nothing decrypts.
    await pipe.connect({ ip, port, ...(pipe.srtpParameters ? { srtpParameters: pipe.srtpParameters } : {}) });
    return pipe;
  }
  const listenInfo = {
    ...LISTEN,
    ip: kind === 'plain-v6' ? '::1' : LISTEN.ip,
    ...(kind === 'plain-small' ? { sendBufferSize: SMALL } : {}),
  };
  const plain = await router.createPlainTransport({ listenInfo });
  await plain.connect({ ip, port });
  return plain;
}

async function consumeAll(transport: types.Transport, place: Place, receiver: Receiver): Promise<types.Consumer[]> {
  const { rtpCapabilities } = place.router;
  return await Promise.all(
    place.producers.map(async ({ id: producerId }, stream) => {
      const consumer = await transport.consume({ producerId, rtpCapabilities });
      receiver.follow(consumer.rtpParameters.encodings![0]!.ssrc!, stream);
      return consumer;
    }),
  );
}

async function countOf(consumers: readonly types.Consumer[]): Promise<number> {
  const all = await Promise.all(consumers.map((consumer) => consumer.getStats()));
  return all.flat().reduce((sum, stat) => sum + (stat.type === 'outbound-rtp' ? stat.packetCount : 0), 0);
}

export async function openDestination(kind: DestinationKind, place: Place): Promise<Destination> {
  return kind === 'webrtc' || kind === 'webrtc-server' ? openWebRtc(kind, place) : openSocket(kind, place);
}

async function openSocket(kind: DestinationKind, place: Place): Promise<Destination> {
  const isV6 = kind === 'plain-v6';
  const socket = await listening(isV6 ? 'udp6' : 'udp4', isV6 ? '::1' : LISTEN.ip);
  const receiver = new Receiver(kind === 'pipe-srtp');
  socket.on('message', (packet) => receiver.take(packet, socket));
  const transport = await ofSocket(kind, place, socket);
  // A port at which nobody listens any more: the kernel answers with ICMP, and others must not suffer.
  if (kind === 'nobody') socket.close();
  const consumers = kind === 'nobody' ? [] : await consumeAll(transport, place, receiver);
  if (kind === 'nobody') await consumeAll(transport, place, new Receiver(true));
  return {
    receiver,
    counted: () => countOf(consumers),
    close: async () => {
      transport.close();
      await flushed(place);
      if (kind !== 'nobody') socket.close();
    },
  };
}

async function openWebRtc(kind: DestinationKind, place: Place): Promise<Destination> {
  const keys = certificate();
  const receiver = new Receiver(true);
  const transport = await place.router.createWebRtcTransport(
    kind === 'webrtc-server' ? { webRtcServer: place.webRtcServer } : { listenInfos: [LISTEN] },
  );
  await transport.connect({
    dtlsParameters: { role: 'client', fingerprints: [keys.fingerprint as types.DtlsFingerprint] },
  });
  const client = await dtlsClient(transport, keys, ['SRTP_AEAD_AES_128_GCM'], (packet, socket) =>
    receiver.take(packet, socket),
  );
  await client.profile();
  const connected = () => transport.dtlsState === 'connected';
  if (!connected())
    await new Promise<void>((resolve) => transport.on('dtlsstatechange', () => connected() && resolve()));
  const consumers = await consumeAll(transport, place, receiver);
  return {
    receiver,
    move: client.move,
    counted: () => countOf(consumers),
    close: async () => {
      transport.close();
      await flushed(place);
      await client.leave();
      keys.remove();
    },
  };
}

/** A request is answered after everything before it was sent, and what was sent on this machine has arrived. */
async function flushed({ router }: Place): Promise<void> {
  if (!router.closed) await router.dump();
}
