/** A request and its answer over a Channel: in one process over memory, and between two over HTTP/2 with mutual TLS, in turns. */
import { issueCertificate, makeAuthority } from '@veilcast/ca';
import {
  acceptChannels,
  connectChannel,
  memoryCarrier,
  type Carrier,
  type Channel,
  type Identity,
} from '@veilcast/control';
import { fixedCredentials, http2Carrier } from '@veilcast/control/http2';
import { systemClock, systemRandom } from '@veilcast/node-kit';
import { FAR_SAYS, PATIENT, serve, type CarrierFar } from './carrier-far.ts';
import { startChild } from './child.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = {
  full: { rounds: 15, many: 4_000, single: 400 },
  tiny: { rounds: 2, many: 50, single: 10 },
} as const;
/** Requests under way at a time where throughput is measured. */
const ABREAST = 16;
const YIELD_EVERY = 200;
const NEAR = { cluster: 'bench', kind: 'signaling', region: 'eu', processId: 'near' } as Identity;
const NEAR_SAYS = { kind: NEAR.kind, processId: NEAR.processId, incarnation: 'one' };
/** As signaling asks where a Peer is to go. */
const REQUEST = {
  peerId: 'peer_0123456789abcdef',
  role: 'speaker',
  region: 'eu',
  probes: [{ region: 'eu', rttMs: 12.5 }],
};

const KINDS = ['memory', 'HTTP/2'] as const;
type Kind = (typeof KINDS)[number];

async function connected(carrier: Carrier, address: string): Promise<Channel> {
  return connectChannel({ carrier, address, hello: NEAR_SAYS, serve, clock: systemClock, limits: PATIENT });
}

/** Requests a second, ABREAST at a time. */
async function throughput(channel: Channel, count: number): Promise<number> {
  const began = performance.now();
  let left = count;
  const ask = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await channel.request('place', REQUEST);
      // Memory alone would never let this process answer the other's pings.
      if (left % YIELD_EVERY === 0) await new Promise(setImmediate);
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, ask));
  return (count * 1_000) / (performance.now() - began);
}

/** Of each request, one after another, ms. */
async function latencies(channel: Channel, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let at = 0; at < count; at += 1) {
    const began = performance.now();
    await channel.request('place', REQUEST);
    all.push(performance.now() - began);
  }
  return all;
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { rounds, many, single } = EFFORTS[effort];
  const load = loadNow();
  const authority = await makeAuthority({ cluster: NEAR.cluster, days: 1, now: Date.now() });
  const far = startChild<CarrierFar>('carrier-far.ts');
  const memory = memoryCarrier();
  const accepted = await acceptChannels({
    carrier: memory,
    address: 'far',
    hello: FAR_SAYS,
    serve,
    clock: systemClock,
  });
  const pair = await issueCertificate(authority, { identity: NEAR, days: 1, now: Date.now() });
  const credentials = fixedCredentials({ ...pair, ca: authority.cert });
  const network = http2Carrier({ credentials, clock: systemClock, random: systemRandom });
  try {
    const { address } = await far.ask('start', { authority });
    const channels: Record<Kind, Channel> = {
      memory: await connected(memory, 'far'),
      'HTTP/2': await connected(network, address),
    };
    const rates: Record<Kind, number[]> = { memory: [], 'HTTP/2': [] };
    const waits: Record<Kind, number[]> = { memory: [], 'HTTP/2': [] };
    const ratios: number[] = [];
    for (const kind of KINDS) await throughput(channels[kind], many);
    for (let round = 1; round <= rounds; round += 1) {
      for (const kind of KINDS) {
        rates[kind].push(await throughput(channels[kind], many));
        waits[kind].push(...(await latencies(channels[kind], single)));
      }
      const [inMemory = 1, overNetwork = 1] = KINDS.map((kind) => rates[kind].at(-1));
      ratios.push(overNetwork / inMemory);
      say(`round ${round}: ${inMemory.toFixed(0)} requests/s in memory, ${overNetwork.toFixed(0)} over HTTP/2`);
    }
    for (const kind of KINDS) channels[kind].close();
    return figuresOf(rates, waits, ratios, load);
  } finally {
    network.close();
    await accepted.close();
    await far.close();
  }
}

function figuresOf(
  rates: Record<Kind, number[]>,
  waits: Record<Kind, number[]>,
  ratios: number[],
  load: number,
): Figure[] {
  const where = { memory: 'one process', 'HTTP/2': 'two processes of one machine, TLS 1.3 with X25519MLKEM768' };
  const perSecond = KINDS.map((kind) => ({
    name: `requests over ${kind}`,
    unit: 'a second',
    spread: spreadOf(rates[kind]),
    note: `${where[kind]}; a placement, ${ABREAST} under way at a time`,
  }));
  const wait = KINDS.map((kind) => ({
    name: `a request and its answer over ${kind}`,
    unit: 'ms',
    spread: spreadOf(waits[kind]),
    note: `${where[kind]}; one at a time`,
  }));
  const ratio = {
    name: 'requests over HTTP/2 ÷ over memory',
    unit: '×',
    spread: spreadOf(ratios),
    note: `of ${ratios.length} pairs in turns; a network is dearer than none`,
  };
  const slowest = wait.map((one) => ({ ...one, name: `${one.name}, slowest percent` }));
  return [...figures(load, [...perSecond, ratio, ...wait]), ...figures(load, slowest, 'p99')];
}

export const carrier: Bench = { name: 'carrier', title: 'a request over memory and over HTTP/2 with mutual TLS', run };
