/**
 * What somebody who runs a node can do: take a Producer's RTP off its Router, put VP8 frames together again (RFC 7741) and
 * hand them to a decoder.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import type { types } from 'mediasoup';
import { BAND, COLUMNS, HEIGHT, readCode, WIDTH } from './film.ts';

export interface TappedFrame {
  readonly timestamp: number;
  readonly bytes: Buffer;
  /** When its last packet came, ms since the epoch. */
  readonly at: number;
}

export interface Tap {
  /** The whole frames so far, in the order of their timestamps. */
  frames(): TappedFrame[];
  close(): void;
}

/** Records a video Producer for a while and returns its whole frames. */
export async function tapVideo(router: types.Router, producerId: string, ms: number): Promise<TappedFrame[]> {
  const tap = await openTap(router, producerId);
  await new Promise((resolve) => setTimeout(resolve, ms));
  tap.close();
  return tap.frames();
}

/** Payloads of a Producer as they are, without the first bytes of each, where descriptor and clear bytes stand. */
export interface PayloadTap {
  bytes(): Buffer;
  close(): void;
}

/** More than any payload descriptor with its extensions, unit headers and clear bytes of a frame together. */
const CLEAR_MAX = 80;
/** Enough for the entropy of it to say something. */
const PAYLOADS_BYTES = 200_000;

export async function openPayloadTap(router: types.Router, producerId: string): Promise<PayloadTap> {
  const transport = await router.createDirectTransport();
  const consumer = await transport.consume({ producerId, rtpCapabilities: router.rtpCapabilities });
  const payloads: Buffer[] = [];
  let length = 0;
  consumer.on('rtp', (packet: Buffer) => {
    const { payload } = parseRtp(packet);
    if (payload.length <= CLEAR_MAX || length > PAYLOADS_BYTES) return;
    payloads.push(Buffer.from(payload.subarray(CLEAR_MAX)));
    length += payload.length - CLEAR_MAX;
  });
  return { bytes: () => Buffer.concat(payloads), close: () => transport.close() };
}

/** Ciphertext has nearly all 8; whatever is left of a picture has fewer. */
export const RANDOM_BITS_PER_BYTE = 7.9;

export function bitsPerByte(bytes: Buffer): number {
  const counts = Array.from({ length: 256 }, () => 0);
  for (const byte of bytes) counts[byte] = (counts[byte] ?? 0) + 1;
  return counts.reduce(
    (sum, count) => (count === 0 ? sum : sum - (count / bytes.length) * Math.log2(count / bytes.length)),
    0,
  );
}

interface Parts {
  readonly payloads: Map<number, Buffer>;
  first: number;
  last: number;
  at: number;
}

/** Records a video Producer until it is closed. */
export async function openTap(router: types.Router, producerId: string): Promise<Tap> {
  const transport = await router.createDirectTransport();
  const consumer = await transport.consume({ producerId, rtpCapabilities: router.rtpCapabilities });
  const pictures = new Map<number, Parts>();
  consumer.on('rtp', (packet: Buffer) => {
    const { payload, sequence, timestamp, marker } = parseRtp(packet);
    if (payload.length === 0) return;
    const parts = pictures.get(timestamp) ?? { payloads: new Map(), first: -1, last: -1, at: 0 };
    pictures.set(timestamp, parts);
    parts.payloads.set(sequence, payload);
    parts.at = Date.now();
    // S bit and partition 0: the first packet of a frame.
    if (((payload[0] ?? 0) & 0x17) === 0x10) parts.first = sequence;
    if (marker) parts.last = sequence;
  });
  await consumer.requestKeyFrame();
  return {
    frames: () =>
      [...pictures]
        .flatMap(([timestamp, parts]) => wholeFrame(timestamp, parts) ?? [])
        .sort((one, other) => one.timestamp - other.timestamp),
    close: () => transport.close(),
  };
}

/** Undefined while a packet is missing. */
function wholeFrame(timestamp: number, { payloads, first, last, at }: Parts): TappedFrame | undefined {
  const count = ((last - first) & 0xffff) + 1;
  if (first < 0 || last < 0 || payloads.size !== count) return undefined;
  const ordered = Array.from({ length: count }, (_, index) => payloads.get((first + index) & 0xffff));
  if (ordered.some((each) => each === undefined)) return undefined;
  return { timestamp, at, bytes: Buffer.concat(ordered.map((each) => withoutDescriptor(each ?? Buffer.alloc(0)))) };
}

function parseRtp(packet: Buffer): { payload: Buffer; sequence: number; timestamp: number; marker: boolean } {
  let offset = 12 + ((packet[0] ?? 0) & 15) * 4;
  if ((packet[0] ?? 0) & 0x10) offset += 4 + packet.readUInt16BE(offset + 2) * 4;
  const padding = (packet[0] ?? 0) & 0x20 ? (packet.at(-1) ?? 0) : 0;
  return {
    payload: packet.subarray(offset, packet.length - padding),
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    marker: ((packet[1] ?? 0) & 0x80) !== 0,
  };
}

/** RFC 7741 §4.2. */
function withoutDescriptor(payload: Buffer): Buffer {
  let offset = 1;
  if ((payload[0] ?? 0) & 0x80) {
    const extension = payload[offset++] ?? 0;
    if (extension & 0x80) offset += (payload[offset] ?? 0) & 0x80 ? 2 : 1;
    if (extension & 0x40) offset += 1;
    if (extension & 0x30) offset += 1;
  }
  return payload.subarray(offset);
}

/** The frames as an IVF file, which says no more of them than their sizes. */
export function ivfOf(frames: readonly TappedFrame[]): Buffer {
  const header = Buffer.alloc(32);
  header.write('DKIF', 0, 'ascii');
  header.writeUInt16LE(32, 6);
  header.write('VP80', 8, 'ascii');
  header.writeUInt16LE(WIDTH, 12);
  header.writeUInt16LE(HEIGHT, 14);
  header.writeUInt32LE(90_000, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(frames.length, 24);
  const first = frames[0]?.timestamp ?? 0;
  const parts = frames.flatMap(({ timestamp, bytes }) => {
    const each = Buffer.alloc(12);
    each.writeUInt32LE(bytes.length, 0);
    each.writeBigUInt64LE(BigInt((timestamp - first) >>> 0), 4);
    return [each, bytes];
  });
  return Buffer.concat([header, ...parts]);
}

export interface Decoded {
  /** Pictures that the decoder gave, right or wrong. */
  readonly pictures: number;
  /** Whose film could be read off them. */
  readonly actors: ReadonlySet<number>;
}

/** Decodes with ffmpeg and looks for the film in what comes out. */
export async function decode(frames: readonly TappedFrame[]): Promise<Decoded> {
  const args = [
    '-v',
    'quiet',
    '-f',
    'ivf',
    '-i',
    '-',
    '-vf',
    `scale=${COLUMNS * 16}:${BAND * 16}`,
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray',
    '-vsync',
    'passthrough',
    '-',
  ];
  const child = spawn('ffmpeg', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.on('error', () => undefined); // ffmpeg may give up on what it cannot decode before it has read all
  child.stdin.end(ivfOf(frames));
  const [pixels] = await Promise.all([buffer(child.stdout), once(child, 'close')]);
  const size = COLUMNS * 16 * BAND * 16;
  const actors = new Set<number>();
  const pictures = Math.floor(pixels.length / size);
  for (let index = 0; index < pictures; index++) {
    const row = index * size + 8 * COLUMNS * 16;
    const code = readCode(Array.from({ length: COLUMNS }, (_, column) => pixels[row + column * 16 + 8] ?? 128));
    if (code) actors.add(code.actor);
  }
  return { pictures, actors };
}
