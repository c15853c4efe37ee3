/** What batching in the media worker is worth: cluster nodes with and without it, in turns. */
import { forwarding, perPacketUs, type Side } from '../bench/forward.ts';
import type { Effort, Say } from '../bench/figure.ts';
import { taken, type Measurement, type Taken } from './measure.ts';

const SIDES: readonly Side[] = [
  { name: 'batching', kind: 'node', environment: { MEDIASOUP_WORKER_BATCHING: '1' } },
  { name: 'singly', kind: 'node', environment: { MEDIASOUP_WORKER_BATCHING: '0' } },
];
const EFFORTS = {
  full: { viewers: 30, turns: 12, pictures: 45 },
  tiny: { viewers: 2, turns: 1, pictures: 15 },
} as const;

async function run(effort: Effort, say: Say): Promise<readonly Taken[]> {
  const { rounds } = await forwarding(SIDES, EFFORTS[effort], say);
  const beside = (rounds['batching'] ?? []).map(perPacketUs).toSorted((one, other) => one - other);
  const middle = beside[Math.floor(beside.length / 2)] ?? Number.NaN;
  const from = `${EFFORTS[effort].viewers} WebRTC viewers of one stream of 150 packets/s of 1.1 kB; with batching ${middle.toPrecision(3)} µs, in turns`;
  return [taken('packetSingly', (rounds['singly'] ?? []).map(perPacketUs), from)];
}

export const batching: Measurement = { names: ['packetSingly'], run };
