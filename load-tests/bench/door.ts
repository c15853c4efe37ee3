/**
 * Fifty people at the door within a second, each a thread of its own: by ticket, one external Commit after another, as
 * Veilcast does it; and beside it all in one Commit and one Welcome, which it does not do (ADR 0016).
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Crowd, now, type Seat } from './crowd.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const CROWDS = { full: 50, tiny: 4 } as const;
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

async function byTicket(count: number, say: Say): Promise<Figure[]> {
  const crowd = new Crowd();
  try {
    const first = await inside(crowd);
    const comers = await crowd.start(count);
    crowd.turns.length = 0;
    const load = loadNow();
    const before = await crowd.cpu([...first, ...comers]);
    const all = process.cpuUsage();
    const came: number[] = [];
    for (const seat of comers) {
      came.push(now());
      crowd.enter(seat);
      await pause(WITHIN_MS / count);
    }
    await crowd.until(() => crowd.together);
    const entries = comers.map((seat, n) => Math.min(...seat.had.values()) - (came[n] ?? 0));
    const order = comers.map((seat) => Math.min(...seat.had.values()));
    const inOrder = order.every((at, n) => n === 0 || at > (order[n - 1] ?? 0));
    const inAll = spreadOf([millisecondsSince(all)]);
    const after = await crowd.cpu([...first, ...comers]);
    const used = after.map((ms, n) => ms - (before[n] ?? 0));
    const word = first[0]?.word ?? '';
    const last = Math.max(...crowd.seats.map((seat) => seat.had.get(word) ?? 0)) - (came[0] ?? 0);
    say(
      `tickets: last entry ${Math.max(...entries).toFixed(0)} ms, all together ${last.toFixed(0)} ms, in order: ${inOrder}`,
    );
    const note = `${count} within a second, ${INSIDE} inside; ${inOrder ? 'in order' : 'NOT in order'}; ${THREADS}`;
    return figures(load, [
      { name: 'entry by ticket, until own keys', unit: 'ms', spread: spreadOf(entries), goal: GOAL_MS, note },
      { name: 'one turn: GroupInfo to Commit taken', unit: 'ms', spread: spreadOf(crowd.turns), note },
      { name: 'all have the last keys, by ticket', unit: 'ms', spread: spreadOf([last]), goal: GOAL_MS, note },
      { name: 'processor time of those inside, by ticket', unit: 'ms', spread: spreadOf(used.slice(0, INSIDE)), note },
      { name: 'processor time of those who came, by ticket', unit: 'ms', spread: spreadOf(used.slice(INSIDE)), note },
      { name: 'processor time in all, by ticket', unit: 'ms', spread: inAll, note },
    ]);
  } finally {
    await crowd.close();
  }
}

/** All key packages are there when it begins; a real one would wait until the second is over. */
async function byWelcome(count: number, say: Say): Promise<Figure[]> {
  const crowd = new Crowd();
  try {
    const first = await inside(crowd);
    const comers = await crowd.start(count);
    const [committer, ...others] = first as [Seat, ...Seat[]];
    const load = loadNow();
    const before = await crowd.cpu([...first, ...comers]);
    const all = process.cpuUsage();
    const began = now();
    const offers = await Promise.all(
      comers.map(async (seat) => {
        const offered = crowd.answer(seat, 'offered');
        crowd.tell(seat, { kind: 'offer' });
        return (await offered).bytes;
      }),
    );
    const added = crowd.answer(committer, 'added');
    crowd.tell(committer, { kind: 'addAll', offers });
    const { commit, welcome } = await added;
    for (const seat of others) crowd.tell(seat, { kind: 'takeAdds', commit });
    for (const seat of comers) crowd.tell(seat, { kind: 'welcome', welcome });
    await crowd.until(() => crowd.seats.every(({ word }) => word === committer.word));
    const inAll = spreadOf([millisecondsSince(all)]);
    const entries = comers.map((seat) => (seat.had.get(committer.word) ?? 0) - began);
    const after = await crowd.cpu([...first, ...comers]);
    const used = after.map((ms, n) => ms - (before[n] ?? 0));
    say(`welcome: last entry ${Math.max(...entries).toFixed(0)} ms, Welcome of ${welcome.length} bytes`);
    const note = `${count} at once in one Commit, ${INSIDE} inside, Welcome of ${welcome.length} bytes; ${THREADS}`;
    return figures(load, [
      { name: 'entry by one Welcome, until own keys', unit: 'ms', spread: spreadOf(entries), goal: GOAL_MS, note },
      { name: 'processor time of the committer, by Welcome', unit: 'ms', spread: spreadOf(used.slice(0, 1)), note },
      { name: 'processor time of those who came, by Welcome', unit: 'ms', spread: spreadOf(used.slice(INSIDE)), note },
      { name: 'processor time in all, by Welcome', unit: 'ms', spread: inAll, note },
    ]);
  } finally {
    await crowd.close();
  }
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const count = CROWDS[effort];
  return [...(await byTicket(count, say)), ...(await byWelcome(count, say))];
}

export const door: Bench = { name: 'door', title: 'fifty people at the door', run };
