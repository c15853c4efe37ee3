/**
 * What the shared store costs: Leases acquired and renewed in memory and in a real Redis in turns, and the processor time of the
 * Redis while 10,000 Leases are kept.
 */
import { memoryCoordination, MemoryStore, type Coordination, type Lease } from '@veilcast/coordination';
import { redisCoordination } from '@veilcast/coordination/redis';
import { LeaseHolder, systemClock, systemRandom, type HeldLease } from '@veilcast/node-kit';
import { startRedis, until, type RedisServer } from '@veilcast/testkit/redis';
import { setTimeout as wait } from 'node:timers/promises';
import { cpuNs } from './cpu.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = {
  full: { rounds: 15, each: 300, atOnce: 64, held: 10_000, seconds: 12 },
  tiny: { rounds: 2, each: 10, atOnce: 4, held: 50, seconds: 2 },
} as const;
/** Signaling's: renewed every third of it. */
const TTL_MS = 6_000;
/** Leases that are acquired at a time when many are. */
const BATCH = 200;

type Kind = 'memory' | 'redis';
const KINDS: readonly Kind[] = ['memory', 'redis'];

interface Round {
  /** Mean of one after the other, µs. */
  readonly acquireUs: number;
  readonly renewUs: number;
  /** Renewals a second with some under way at once. */
  readonly renewals: number;
}

/** Mean µs of doing it so often. */
async function timed(count: number, run: (at: number) => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  for (let at = 0; at < count; at += 1) await run(at);
  return ((performance.now() - begun) * 1_000) / count;
}

async function round({ leases }: Coordination, name: string, each: number, atOnce: number): Promise<Round> {
  const held: Lease[] = [];
  const acquireUs = await timed(each, async (at) => {
    const answer = await leases.acquire(`room/${name}-${at}`, 'bench', TTL_MS);
    if (answer.kind !== 'held') throw new Error(`a new Lease was ${answer.kind}`);
    held.push(answer.lease);
  });
  const renew = async (lease: Lease | undefined): Promise<void> => {
    if (lease === undefined || !(await leases.renew(lease, TTL_MS))) throw new Error('a Lease was lost');
  };
  const renewUs = await timed(each, (at) => renew(held[at]));
  const begun = performance.now();
  const worker = async (first: number): Promise<void> => {
    for (let at = first; at < each * 4; at += atOnce) await renew(held[at % each]);
  };
  await Promise.all(Array.from({ length: atOnce }, (_, first) => worker(first)));
  return { acquireUs, renewUs, renewals: (each * 4 * 1_000) / (performance.now() - begun) };
}

/** Holds so many Leases and looks at the processor time of the Redis each second. */
async function keep(store: Coordination, server: RedisServer, held: number, seconds: number) {
  const holder = new LeaseHolder({ leases: store.leases, clock: systemClock, owner: 'bench', ttlMs: TTL_MS });
  const memory = async (): Promise<number> =>
    Number(/used_memory:(\d+)/.exec(await server.cli('INFO', 'memory'))?.[1] ?? Number.NaN);
  const before = await memory();
  const all: HeldLease[] = [];
  for (let at = 0; at < held; at += BATCH) {
    const count = Math.min(BATCH, held - at);
    const batch = await Promise.all(
      Array.from({ length: count }, (_, one) => holder.hold(`room/kept-${at + one}`, () => undefined)),
    );
    all.push(...batch.filter((one) => one.kind === 'held'));
    // Spread over the time between two renewals, as Rooms are that people open.
    await wait((TTL_MS / 3) * (count / held));
  }
  const bytes = ((await memory()) - before) / held;
  const shares: number[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const [cpu, at] = [await cpuNs(server.pid), performance.now()];
    await wait(1_000);
    shares.push(((await cpuNs(server.pid)) - cpu) / (performance.now() - at) / 10_000);
  }
  const lost = all.filter((one) => one.lost).length;
  if (all.length < held || lost > 0) throw new Error(`${all.length} of ${held} held, ${lost} lost`);
  for (let at = 0; at < held; at += BATCH) await Promise.all(all.slice(at, at + BATCH).map((one) => one.release()));
  return { bytes, shares };
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { rounds, each, atOnce, held, seconds } = EFFORTS[effort];
  const load = loadNow();
  const server = await startRedis({ settings: { appendonly: 'yes' } });
  const stores: Record<Kind, Coordination> = {
    memory: memoryCoordination(new MemoryStore(systemClock, { leases: 100_000 })),
    redis: redisCoordination({ place: { kind: 'redis', address: server }, clock: systemClock, random: systemRandom }),
  };
  try {
    await until(() => stores.redis.reachable());
    // A store that is new gives nothing to anybody until former owners could have come back.
    await wait(TTL_MS / 3 + 1_500);
    const all: Record<Kind, Round[]> = { memory: [], redis: [] };
    for (let at = 0; at < rounds; at += 1)
      for (const kind of KINDS) all[kind].push(await round(stores[kind], `${at}`, each, atOnce));
    say(`${rounds} rounds in turns; now ${held} Leases are kept for ${seconds} s`);
    const { bytes, shares } = await keep(stores.redis, server, held, seconds);
    const of = (kind: Kind, what: keyof Round) => spreadOf(all[kind].map((one) => one[what]));
    const note = `${rounds} rounds of ${each} in turns, one after the other; Redis 7 on the same machine, append-only file each second`;
    const many = `${rounds} rounds of ${each * 4} in turns, ${atOnce} at once`;
    const kept = `${held} Leases of ${TTL_MS / 1_000} s, renewed every ${TTL_MS / 3_000} s by one process, for ${seconds} s, each second a sample`;
    return figures(load, [
      { name: 'acquire a Lease, Redis', unit: 'µs', spread: of('redis', 'acquireUs'), note },
      { name: 'acquire a Lease, memory', unit: 'µs', spread: of('memory', 'acquireUs'), note },
      { name: 'renew a Lease, Redis', unit: 'µs', spread: of('redis', 'renewUs'), note },
      { name: 'renew a Lease, memory', unit: 'µs', spread: of('memory', 'renewUs'), note },
      { name: 'renewals a second, Redis', unit: '/s', spread: of('redis', 'renewals'), note: many },
      { name: 'renewals a second, memory', unit: '/s', spread: of('memory', 'renewals'), note: many },
      { name: `Redis keeping ${held} Leases`, unit: '% of a core', spread: spreadOf(shares), note: kept },
      {
        name: 'a Lease in Redis',
        unit: 'B',
        spread: spreadOf([bytes]),
        note: `growth of used_memory by ${held} Leases`,
      },
    ]);
  } finally {
    await Promise.all(KINDS.map((kind) => stores[kind].close()));
    await server.close();
  }
}

export const store: Bench = { name: 'store', title: 'Leases in memory and in Redis', run };
