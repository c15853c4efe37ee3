/**
 * A stretch of network between two UDP ends, in user space: packets are lost, wait for their turn at a bottleneck, or pass.
 * Losses come from a seed, so that a run can be repeated.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { seededRandom } from './seeded-random.ts';

export interface Impairment {
  /** Share of packets lost, each way, 0 to 1. */
  readonly loss?: number;
  /** Bits a second towards the near end, after which packets wait in a queue. */
  readonly bitsPerSecond?: number;
  /** The same from the near end. */
  readonly bitsPerSecondUp?: number;
}

export interface UdpLink {
  /** Where the near end sends to; each of its sockets gets a way of its own. */
  readonly nearPort: number;
  /** Where the far end hears the first socket of the near end from. */
  readonly farPort: number;
  /** Packets that were lost, both ways. */
  readonly lost: number;
  impair(impairment: Impairment): void;
  close(): void;
}

/** What the bottleneck holds, ms of its rate; more is dropped, as by a home router with a short queue. */
const QUEUE_MS = 200;

/** A link of 127.0.0.1 to the far end's port. */
export async function udpLink(far: { readonly port: number }, seed = 1): Promise<UdpLink> {
  const random = seededRandom(seed);
  const near = await bound();
  const spare = await bound();
  const ways = new Map<string, Socket>();
  let impairment: Impairment = {};
  let lost = 0;
  /** When the bottleneck of each way is free again. */
  const freeAt = { down: 0, up: 0 };
  let isClosed = false;

  const pass = (send: () => void, bytes: number, way: 'down' | 'up'): void => {
    const { loss = 0 } = impairment;
    const bitsPerSecond = way === 'down' ? impairment.bitsPerSecond : impairment.bitsPerSecondUp;
    const now = performance.now();
    const wait = bitsPerSecond === undefined ? 0 : Math.max(0, freeAt[way] - now);
    if (random.float() < loss || wait > QUEUE_MS) {
      lost += 1;
      return;
    }
    if (bitsPerSecond !== undefined) freeAt[way] = Math.max(freeAt[way], now) + (bytes * 8_000) / bitsPerSecond;
    if (wait === 0) send();
    else setTimeout(() => void (isClosed || send()), wait);
  };
  const wayOf = ({ port, address }: RemoteInfo): Socket => {
    const from = `${address} ${port}`;
    const known = ways.get(from);
    if (known) return known;
    const way = ways.size === 0 ? spare : createSocket('udp4');
    way.on('message', (packet) => pass(() => near.send(packet, port, address), packet.length, 'down'));
    ways.set(from, way);
    return way;
  };
  near.on('message', (packet, from) => {
    const way = wayOf(from);
    pass(() => way.send(packet, far.port, '127.0.0.1'), packet.length, 'up');
  });
  return {
    nearPort: near.address().port,
    farPort: spare.address().port,
    get lost() {
      return lost;
    },
    impair: (to) => {
      impairment = to;
    },
    close: () => {
      isClosed = true;
      for (const socket of new Set([near, spare, ...ways.values()])) socket.close();
    },
  };
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
