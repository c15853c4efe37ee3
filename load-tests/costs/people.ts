/** What people cost the servers: a join, and a Room-wide message for each socket that gets it. A whole cluster of one region, and a crowd. */
import { startChild } from '../bench/child.ts';
import { cpuNs } from '../bench/cpu.ts';
import { startCrowd, type CrowdProgram } from '../bench/crowd-program.ts';
import type { CrowdSubject } from '../bench/crowd-subject.ts';
import type { Effort, Say } from '../bench/figure.ts';
import { taken, type Measurement, type Taken } from './measure.ts';

const EFFORTS = {
  full: { rounds: 8, rooms: 4, people: 60, messageRooms: 4, messagePeople: 200, messages: 15, says: 10 },
  tiny: { rounds: 1, rooms: 1, people: 3, messageRooms: 1, messagePeople: 3, messages: 1, says: 1 },
} as const;
const PATIENCE_MS = 60_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited too long for ${what}`);
    await pause(50);
  }
}

/** Processor time of `act`, ns, less what the same time costs when nothing happens. */
class Servers {
  readonly #pids: readonly number[];
  #idle: number[] = [];

  constructor(...pids: readonly number[]) {
    this.#pids = pids;
  }

  async rest(ms: number): Promise<void> {
    const before = await this.#cpu();
    await pause(ms);
    this.#idle = (await this.#cpu()).map((ns, n) => (ns - (before[n] ?? 0)) / ms);
  }

  async cost(act: () => Promise<unknown>): Promise<number[]> {
    const [before, began] = [await this.#cpu(), performance.now()];
    await act();
    const took = performance.now() - began;
    return (await this.#cpu()).map((ns, n) => ns - (before[n] ?? 0) - took * (this.#idle[n] ?? 0));
  }

  #cpu(): Promise<number[]> {
    return Promise.all(this.#pids.map(cpuNs));
  }
}

async function allKeyed(crowd: CrowdProgram, people: number): Promise<void> {
  await until(async () => (await crowd.count()).keyed >= people, 'a place in the group for everybody');
}

async function run(effort: Effort, say: Say): Promise<readonly Taken[]> {
  const size = EFFORTS[effort];
  const subject = startChild<CrowdSubject>('crowd-subject.ts');
  const { origin, workerPid } = await subject.ask('start', undefined);
  const crowd = await startCrowd(origin);
  try {
    const servers = new Servers(subject.pid, workerPid);
    await servers.rest(2_000);
    const [joins, worker, walls, messages]: [number[], number[], number[], number[]] = [[], [], [], []];
    let all = 0;
    // The first round warms up.
    for (let round = 0; round <= size.rounds; round++) {
      await crowd.forget();
      const [ns = 0, workerNs = 0] = await servers.cost(async () => {
        all += await crowd.join({
          room: `join${round}`,
          rooms: size.rooms,
          role: 'viewer',
          count: size.people,
          perSecond: 0,
          keys: true,
        });
        await allKeyed(crowd, all);
      });
      if (round === 0) continue;
      joins.push(ns / size.people / 1e6);
      worker.push(workerNs / size.people / 1e6);
      walls.push((await crowd.report()).join.p50);
      say(
        `round ${round}: ${joins.at(-1)?.toFixed(2)} ms CPU a join, and ${worker.at(-1)?.toFixed(2)} ms in the worker`,
      );
    }
    all += await crowd.join({
      room: 'message',
      rooms: size.messageRooms,
      role: 'speaker',
      count: size.messagePeople,
      perSecond: 0,
      keys: true,
    });
    await allKeyed(crowd, all);
    await servers.rest(2_000);
    for (let n = 0; n <= size.messages; n++) {
      await crowd.forget();
      const [ns = 0] = await servers.cost(async () => {
        for (let said = 0; said < size.says; said++) await crowd.say();
        await until(async () => {
          const { due, heard } = await crowd.report();
          return heard >= due;
        }, 'a message');
      });
      const { heard } = await crowd.report();
      if (n > 0 && heard > 0) messages.push(ns / heard / 1_000);
    }
    say(`${spreadText(messages)} µs CPU a message and socket`);
    const from = `${size.people} at once into ${size.rooms} Rooms, with ${all} people in the process at the end; turns in the group taken by placeholders`;
    return [
      taken('join', joins, `${from}; the process with signaling, cascade-router and node`),
      taken('joinWorker', worker, `${from}; the media worker`),
      taken('joinWall', walls, `${from}; the median of each round`),
      taken(
        'message',
        messages,
        `${size.messagePeople} sockets in ${size.messageRooms} Rooms, one of each speaks to all others`,
      ),
    ];
  } finally {
    await crowd.close();
    await subject.close();
  }
}

function spreadText(samples: readonly number[]): string {
  return `${Math.min(...samples).toFixed(1)} – ${Math.max(...samples).toFixed(1)}`;
}

export const people: Measurement = { names: ['join', 'joinWorker', 'joinWall', 'message'], run };
