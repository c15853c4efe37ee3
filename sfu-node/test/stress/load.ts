/**
 * A worker under packets of all sizes, in bursts, from several sources to destinations of every kind, which come and go and change their
 * addresses meanwhile. Everything is drawn from a seed. Windows are small enough for any socket's buffer, so that not one packet may be lost.
 */
import { createWorker, type types } from 'mediasoup';
import { ROUTER_CODECS } from '@veilcast/sfu-node';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';
import { opusParameters } from '../source.ts';
import { openDestination, type Destination, type DestinationKind } from './destination.ts';
import { fill, type Tally } from './receiver.ts';

export interface StressOptions {
  /** Packets that the sources send; each goes to every destination. */
  readonly packets: number;
  readonly seed: number;
  /** Of the worker, beside this process's own. */
  readonly environment: Readonly<Record<string, string>>;
  readonly destinations: readonly DestinationKind[];
  /** Destinations that are closed and opened anew meanwhile. */
  readonly guests: readonly DestinationKind[];
  readonly patienceMs?: number;
}

export interface StressResult extends Tally {
  /** What the worker says that it sent, of those destinations that stayed. */
  readonly counted: number;
  readonly moves: number;
  readonly visits: number;
  readonly exit: 'ended' | 'died';
}

const STREAMS = 3;
/** Packets of a stream under way at a time: 1,500 bytes take up to 2,304 of a buffer of 212,992. */
const WINDOW = 24;
/** After so long a packet is lost. A busy machine delivers late. */
const PATIENCE_MS = 10_000;

interface Stream {
  readonly index: number;
  readonly ssrc: number;
  readonly socket: Socket;
  readonly port: number;
  readonly producer: types.Producer;
  next: number;
}

/** mulberry32: the same history for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Starts a worker with this environment added to the process's own, which mediasoup hands on as it stands. */
async function workerWith(environment: Readonly<Record<string, string>>): Promise<types.Worker> {
  const before = { ...process.env };
  Object.assign(process.env, environment);
  try {
    return await createWorker({ logLevel: 'error' });
  } finally {
    for (const name of Object.keys(environment))
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
  }
}

async function openStream(router: types.Router, index: number): Promise<Stream> {
  const transport = await router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    comedia: true,
  });
  const ssrc = 0x5a000000 + index;
  const producer = await transport.produce({ kind: 'audio', rtpParameters: opusParameters(ssrc) });
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { index, ssrc, socket, port: transport.tuple.localPort, producer, next: 1 };
}

/** Sizes of a burst: mostly equal ones with a shorter end, as frames are, else anything from 1 byte of payload to 1,500 in all. */
function sizesOf(random: () => number, count: number): number[] {
  const any = () => 13 + Math.floor(random() * 1_488);
  const one = any();
  if (random() < 0.25) return Array.from({ length: count }, any);
  return Array.from({ length: count }, (_, at) => (at === count - 1 ? 13 + Math.floor(random() * (one - 12)) : one));
}

function send(stream: Stream, bytes: number, destinations: readonly Destination[]): void {
  const number = stream.next++;
  const packet = Buffer.alloc(bytes);
  packet[0] = 0x80;
  packet[1] = 100;
  packet.writeUInt16BE(number & 0xffff, 2);
  packet.writeUInt32BE(number >>> 0, 4);
  packet.writeUInt32BE(stream.ssrc, 8);
  fill(packet.subarray(12), stream.index, number);
  for (const { receiver } of destinations) receiver.expect(stream.index, number, bytes);
  stream.socket.send(packet, stream.port, '127.0.0.1');
}

/** Runs it. @throws Error when a destination cannot be opened or the worker ends early */
export async function stress(options: StressOptions): Promise<StressResult> {
  const random = randomOf(options.seed);
  const worker = await workerWith(options.environment);
  const exit = exitOf(worker);
  const opened: Destination[] = [];
  const tallies: Tally[] = [];
  let streams: Stream[] = [];
  let moves = 0;
  let visits = 0;
  try {
    const webRtcServer = await worker.createWebRtcServer({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
    const router = await worker.createRouter({ mediaCodecs: ROUTER_CODECS });
    streams = await Promise.all(Array.from({ length: STREAMS }, (_, index) => openStream(router, index)));
    const place = { router, webRtcServer, producers: streams.map(({ producer }) => producer) };
    const come = async (kind: DestinationKind): Promise<Destination> => {
      const destination = await openDestination(kind, place);
      opened.push(destination);
      return destination;
    };
    const staying = await Promise.all(options.destinations.map(come));
    let guest: Destination | undefined;
    let visit: Promise<void> | undefined;
    const change = async (): Promise<void> => {
      if (guest) {
        guest.receiver.leave();
        await guest.close();
        opened.splice(opened.indexOf(guest), 1);
        tallies.push(guest.receiver.tally);
        guest = undefined;
        visits++;
        return;
      }
      const kind = options.guests[visits % options.guests.length];
      if (kind !== undefined) guest = await come(kind);
    };
    for (let sent = 0; sent < options.packets;) {
      // Who comes while this window is under way has to get nothing of it.
      const here = [...opened];
      const left = streams.map(() => WINDOW);
      while (left.some((packets) => packets > 0) && sent < options.packets) {
        const at = Math.floor(random() * STREAMS);
        const count = Math.min(left[at]!, 1 + Math.floor(random() * WINDOW));
        left[at]! -= count;
        for (const bytes of sizesOf(random, count)) {
          // What a network lost before it came to the worker.
          if (random() < 0.01) streams[at]!.next++;
          send(streams[at]!, bytes, here);
          sent++;
        }
        const what = random();
        if (what < 0.02 && options.guests.length > 0) visit ??= change().finally(() => (visit = undefined));
        else if (what < 0.04) void router.dump();
        else if (what < 0.05) for (const { move } of staying) if (move) void move().then(() => moves++);
      }
      await Promise.all(here.map(({ receiver }) => receiver.settled(options.patienceMs ?? PATIENCE_MS)));
      if (worker.closed) throw new Error('the worker ended');
    }
    await visit;
    // A packet that was sent twice would be here by now.
    await after(50);
    const counted = (await Promise.all(staying.map((destination) => destination.counted()))).reduce((a, b) => a + b, 0);
    tallies.push(...opened.map(({ receiver }) => receiver.tally));
    for (const destination of opened.splice(0)) await destination.close();
    worker.close();
    return { ...sum(tallies), counted, moves, visits, exit: await exit };
  } finally {
    for (const destination of opened) await destination.close();
    for (const { socket } of streams) socket.close();
    worker.close();
  }
}

async function exitOf(worker: types.Worker): Promise<StressResult['exit']> {
  await new Promise<void>((resolve) => worker.on('subprocessclose', () => resolve()));
  return worker.died ? 'died' : 'ended';
}

function sum(all: readonly Tally[]): Tally {
  const total: Tally = { delivered: 0, lost: 0, repeated: 0, misplaced: 0, garbled: 0 };
  for (const tally of all) for (const name of Object.keys(total) as (keyof Tally)[]) total[name] += tally[name];
  return total;
}
