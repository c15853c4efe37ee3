/**
 * Fifty people at the door within a second, each a thread of its own: let in together, as Veilcast does it (ADR 0040), and beside it by
 * ticket alone, one external Commit after another. The clock begins when all of them are ready with their leaf keys.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Crowd, now, type Seat } from './crowd.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const CROWDS = { full: 50, tiny: 6 } as const;
/** People inside before the crowd comes. */
const INSIDE = 2;
const WITHIN_MS = 1_000;
const GOAL_MS = 5_000;
const THREADS = 'every member a thread of its own on the same cores; no sockets, credentials taken on trust';

/** Of all threads of this process, the engine's own and WebCrypto's included. */
function millisecondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

async function inside(crowd: Crowd): Promise<Seat[]> {
  const seats = await crowd.start(INSIDE);
  for (const seat of seats) {
    crowd.enter(seat);
    await crowd.until(() => crowd.together);
  }
  return seats;
}

async function come(count: number, together: boolean, say: Say): Promise<Figure[]> {
  const crowd = new Crowd(together);
  const how = together ? 'together' : 'by ticket';
  try {
    const first = await inside(crowd);
    const comers = await crowd.start(count);
    const load = loadNow();
    const before = await crowd.cpu([...first, ...comers]);
    const epoch = crowd.delivery.epoch;
    const all = process.cpuUsage();
    const came: number[] = [];
    for (const seat of comers) {
      came.push(now());
      crowd.enter(seat);
      await pause(WITHIN_MS / count);
    }
    await crowd.until(() => crowd.together);
    const inAll = spreadOf([millisecondsSince(all)]);
    const entries = comers.map((seat, n) => Math.min(...seat.had.values()) - (came[n] ?? 0));
    const inOrder = comers.every((seat, n) => n === 0 || seat.first >= (comers[n - 1]?.first ?? 0));
    const after = await crowd.cpu([...first, ...comers]);
    const used = after.map((ms, n) => ms - (before[n] ?? 0));
    const word = first[0]?.word ?? '';
    const last = Math.max(...crowd.seats.map((seat) => seat.had.get(word) ?? 0)) - (came[0] ?? 0);
    const commits = crowd.delivery.epoch - epoch;
    say(
      `${how}: last entry ${Math.max(...entries).toFixed(0)} ms, all together ${last.toFixed(0)} ms, ${commits} Commits, in order: ${inOrder}`,
    );
    const order = inOrder ? 'in order' : 'NOT in order';
    const note = `${count} within a second, ${INSIDE} inside, ${commits} Commits; ${order}; ${THREADS}`;
    const goal = together ? { goal: GOAL_MS } : {};
    return figures(load, [
      { name: `entry ${how}, until own keys`, unit: 'ms', spread: spreadOf(entries), ...goal, note },
      { name: `all have the last keys, ${how}`, unit: 'ms', spread: spreadOf([last]), ...goal, note },
      { name: `processor time of those inside, ${how}`, unit: 'ms', spread: spreadOf(used.slice(0, INSIDE)), note },
      { name: `processor time of those who came, ${how}`, unit: 'ms', spread: spreadOf(used.slice(INSIDE)), note },
      { name: `processor time in all, ${how}`, unit: 'ms', spread: inAll, note },
    ]);
  } finally {
    await crowd.close();
  }
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const count = CROWDS[effort];
  return [...(await come(count, true, say)), ...(await come(count, false, say))];
}

export const door: Bench = { name: 'door', title: 'fifty people at the door', run };
