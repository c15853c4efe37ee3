/** Real RTP on a node's Router: a source that a test makes, and a tap that reads what a Consumer there gets. */
import { jsonOf, type wire } from '@veilcast/control';
import type { types } from 'mediasoup';
import type { SfuNode } from '@veilcast/sfu-node';
import { ROOM } from './cluster.ts';

const SSRC = 0x0a0b0c0d;

/** Parameters of a publisher of one VP8 stream. */
export function vp8Parameters(ssrc = SSRC): types.RtpParameters {
  const rtcpFeedback = [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }];
  return {
    mid: String(ssrc % 1_000),
    codecs: [{ mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000, rtcpFeedback }],
    headerExtensions: [],
    encodings: [{ ssrc }],
    rtcp: { cname: 'test' },
  };
}

/** Parameters of a publisher of one Opus stream. */
export function opusParameters(ssrc = 0x11223344): types.RtpParameters {
  return {
    mid: String(ssrc % 1_000),
    codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2, rtcpFeedback: [] }],
    headerExtensions: [],
    encodings: [{ ssrc }],
    rtcp: { cname: 'test' },
  };
}

/** mediasoup's own Router of the test's Room. */
export function routerOf(node: SfuNode, workerId: string): types.Router {
  const router = node.routerOf(ROOM, workerId);
  if (!router) throw new Error('there is no such Router');
  return router as unknown as types.Router;
}

/** Capabilities of a client that can decode whatever is there. */
export function capabilities(node: SfuNode, workerId: string): wire.Json {
  return jsonOf(routerOf(node, workerId).rtpCapabilities);
}

/** A source of VP8-looking RTP. */
export interface Source {
  readonly producer: types.Producer;
  send(text: string, key?: boolean): void;
  /** Key frames that were asked of it. */
  keyFramesAsked(): number;
  close(): void;
}

/** Opens a source on a node's Router, and lets the node carry it like a Peer's. */
export async function openSource(node: SfuNode, workerId: string, producerId: string): Promise<Source> {
  const transport = await routerOf(node, workerId).createDirectTransport();
  const producer = await transport.produce({
    id: producerId,
    kind: 'video',
    rtpParameters: vp8Parameters(),
    keyFrameRequestDelay: 300,
  });
  const remove = await node.adopt(ROOM, workerId, producer);
  let asked = 0;
  transport.on('rtcp', (packet) => {
    if (hasPli(packet)) asked++;
  });
  let sequence = 1;
  return {
    producer,
    keyFramesAsked: () => asked,
    send: (text, key = true) => {
      const header = Buffer.alloc(12);
      header[0] = 0x80;
      header[1] = 0x80 | 101;
      header.writeUInt16BE(sequence & 0xffff, 2);
      header.writeUInt32BE(sequence * 3_000, 4);
      header.writeUInt32BE(SSRC, 8);
      sequence++;
      // RFC 7741: a descriptor that starts partition 0, then a frame header whose lowest bit says inter frame.
      producer.send(Buffer.concat([header, Buffer.from([0x10, key ? 0 : 1, 0, 0]), Buffer.from(text)]));
    },
    close: () => {
      remove();
      transport.close();
    },
  };
}

/** A microphone whose packets say how loud they are, as every browser's do, whatever is in them. */
export async function openMicrophone(node: SfuNode, workerId: string, producerId: string) {
  const router = routerOf(node, workerId);
  const level = router.rtpCapabilities.headerExtensions?.find(({ uri }) => uri.endsWith('ssrc-audio-level'));
  if (!level) throw new Error('the Router reads no levels');
  const ssrc = 0x11220000 + producerId.length;
  const { uri, preferredId: id } = level;
  const transport = await router.createDirectTransport();
  const producer = await transport.produce({
    id: producerId,
    kind: 'audio',
    rtpParameters: { ...opusParameters(ssrc), headerExtensions: [{ uri, id }] },
  });
  const remove = await node.adopt(ROOM, workerId, producer);
  let sequence = 1;
  return {
    producer,
    /** One packet of 20 ms, this loud in dBov, which RFC 6464 writes without its sign. */
    send: (dbov: number) => {
      const header = Buffer.alloc(20);
      header[0] = 0x90;
      header[1] = 100;
      header.writeUInt16BE(sequence & 0xffff, 2);
      header.writeUInt32BE(sequence * 960, 4);
      header.writeUInt32BE(ssrc, 8);
      // RFC 8285 §4.2: one-byte headers, one word of them.
      header.writeUInt16BE(0xbede, 12);
      header.writeUInt16BE(1, 14);
      header[16] = id << 4;
      header[17] = 0x80 | -dbov;
      sequence++;
      producer.send(Buffer.concat([header, Buffer.from('sealed')]));
    },
    close: () => {
      remove();
      transport.close();
    },
  };
}

/** Whether a compound RTCP packet holds a Picture Loss Indication (RFC 4585 §6.3.1). */
function hasPli(packet: Buffer): boolean {
  for (let at = 0; at + 4 <= packet.length; at += (packet.readUInt16BE(at + 2) + 1) * 4)
    if (packet[at + 1] === 206 && (packet[at]! & 31) === 1) return true;
  return false;
}

/** What a Consumer on a node's Router gets of a Producer. */
export async function openTap(node: SfuNode, workerId: string, producerId: string) {
  const router = routerOf(node, workerId);
  const transport = await router.createDirectTransport();
  const consumer = await transport.consume({ producerId, rtpCapabilities: router.rtpCapabilities });
  const payloads: string[] = [];
  consumer.on('rtp', (packet) => payloads.push(packet.toString('latin1')));
  return {
    consumer,
    got: (text: string) => payloads.some((payload) => payload.includes(text)),
    count: () => payloads.length,
    close: () => transport.close(),
  };
}
