/** A join and a removal until everybody has the new key, every member a thread of its own. */
import { Crowd, now, type Seat } from './crowd.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const SIZES = { full: [2, 16, 64], tiny: [2, 3] } as const;
const ROUNDS = { full: 8, tiny: 1 } as const;
/** DESIGN §8: until everybody has the new key, at 64. */
const GOAL_MS = 300;

interface Round {
  readonly took: number;
  readonly committer: number;
  /** The median of all others. */
  readonly other: number;
}

async function round(crowd: Crowd, committer: () => Seat | undefined, act: () => void): Promise<Round> {
  const seats = crowd.seats;
  const before = await crowd.cpu(seats);
  const epoch = crowd.delivery.epoch;
  const began = now();
  act();
  await crowd.until(() => crowd.delivery.epoch > epoch && crowd.together);
  const here = seats.filter(({ inRoom }) => inRoom);
  const ended = Math.max(...here.map((seat) => seat.had.get(seat.word) ?? 0));
  const after = await crowd.cpu(seats);
  const used = seats.map((seat, n) => ({ seat, ms: (after[n] ?? 0) - (before[n] ?? 0) }));
  const by = committer();
  const others = used.filter(({ seat }) => seat.inRoom && seat !== by).map(({ ms }) => ms);
  return {
    took: ended - began,
    committer: used.find(({ seat }) => seat === by)?.ms ?? 0,
    other: others.length > 0 ? spreadOf(others).median : 0,
  };
}

async function ofSize(size: number, rounds: number, say: Say): Promise<Figure[]> {
  const crowd = new Crowd();
  try {
    const seats = await crowd.start(size);
    for (const seat of seats) {
      crowd.enter(seat);
      await crowd.until(() => crowd.together);
    }
    const load = loadNow();
    const joins: Round[] = [];
    const removals: Round[] = [];
    for (let n = 0; n < rounds; n++) {
      const victim = crowd.seats.findLast(({ inRoom }) => inRoom);
      if (!victim) break;
      const [lowest] = crowd.seats;
      removals.push(
        await round(
          crowd,
          () => lowest,
          () => crowd.kick(victim),
        ),
      );
      await victim.worker.terminate();
      crowd.seats.splice(crowd.seats.indexOf(victim), 1);
      const [comer] = await crowd.start(1);
      if (comer)
        joins.push(
          await round(
            crowd,
            () => comer,
            () => crowd.enter(comer),
          ),
        );
    }
    say(`${size}: removal ${spreadOf(removals.map(({ took }) => took)).median.toFixed(0)} ms`);
    const goal = size === 64 ? { goal: GOAL_MS } : {};
    const note = 'every member a thread of its own on the same cores; no sockets, credentials taken on trust';
    const all = (
      [
        ['join', joins],
        ['removal', removals],
      ] as const
    ).flatMap(([what, done]) => [
      {
        name: `${what} at ${size}, until all have the key`,
        unit: 'ms',
        spread: spreadOf(done.map(({ took }) => took)),
        note,
        ...goal,
      },
      {
        name: `${what} at ${size}: processor time to commit`,
        unit: 'ms',
        spread: spreadOf(done.map(({ committer }) => committer)),
        note,
      },
      {
        name: `${what} at ${size}: processor time of each other`,
        unit: 'ms',
        spread: spreadOf(done.map(({ other }) => other)),
        note,
      },
    ]);
    return figures(load, all, 'p95');
  } finally {
    await crowd.close();
  }
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const all: Figure[] = [];
  for (const size of SIZES[effort]) all.push(...(await ofSize(size, ROUNDS[effort], say)));
  return all;
}

export const rekey: Bench = { name: 'rekey', title: 'a new key for everybody', run };
