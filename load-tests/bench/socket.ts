/**
 * What a socket weighs: growth of signaling's memory from some hundred joined sockets to more, after collection, beside
 * socket.io alone. Each sample is a fresh process; the first hundreds, which grow heaps and pools, are not counted.
 */
import { startChild } from './child.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import type { SocketClients } from './socket-clients.ts';
import type { ServerKind, SocketServer } from './socket-server.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = {
  full: { steps: [500, 1_000], runs: 3 },
  tiny: { steps: [5, 10], runs: 1 },
} as const;
const KINDS: readonly ServerKind[] = ['signaling', 'socket.io'];

interface Weight {
  /** kB of resident memory, and of V8's heap with what hangs on it, for each socket more. */
  readonly rss: number;
  readonly heap: number;
}

async function weigh(kind: ServerKind, [few, many]: readonly [number, number]): Promise<Weight> {
  const server = startChild<SocketServer>('socket-server.ts', ['--expose-gc']);
  const clients = startChild<SocketClients>('socket-clients.ts');
  try {
    const url = await server.ask('start', { kind });
    const at = async (to: number) => {
      const open = await clients.ask('grow', { url, to, joins: kind === 'signaling' });
      const weight = await server.ask('weigh', undefined);
      if (open < to || weight.sockets < to) throw new Error(`${open} open, ${weight.sockets} joined of ${to}`);
      return weight;
    };
    const [before, after] = [await at(few), await at(many)];
    const each = (one: number, other: number): number => (other - one) / 1_024 / (many - few);
    return { rss: each(before.rss, after.rss), heap: each(before.heap, after.heap) };
  } finally {
    await clients.close();
    await server.close();
  }
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { steps, runs } = EFFORTS[effort];
  const load = loadNow();
  const weights: Record<ServerKind, Weight[]> = { signaling: [], 'socket.io': [] };
  for (let run = 1; run <= runs; run++) {
    for (const kind of KINDS) {
      const weight = await weigh(kind, steps);
      weights[kind].push(weight);
      say(`run ${run}, ${kind}: ${weight.rss.toFixed(1)} KiB resident, ${weight.heap.toFixed(1)} KiB of heap a socket`);
    }
  }
  const rss = (kind: ServerKind) => spreadOf(weights[kind].map((weight) => weight.rss));
  const heap = (kind: ServerKind) => spreadOf(weights[kind].map((weight) => weight.heap));
  const note = `from ${steps[0]} to ${steps[1]} sockets after collection, joined as viewers in rooms of 20, no media, no MLS group`;
  const bare = `from ${steps[0]} to ${steps[1]} sockets after collection, one message each`;
  return figures(load, [
    { name: 'a joined socket, resident', unit: 'KiB', spread: rss('signaling'), goal: 30, note },
    { name: 'a joined socket, heap', unit: 'KiB', spread: heap('signaling'), note },
    { name: 'a socket of socket.io alone, resident', unit: 'KiB', spread: rss('socket.io'), note: bare },
    { name: 'a socket of socket.io alone, heap', unit: 'KiB', spread: heap('socket.io'), note: bare },
  ]);
}

export const socket: Bench = { name: 'socket', title: 'memory of a joined socket', run };
