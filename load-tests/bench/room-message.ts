/** A message to everybody, from the request of one to the sockets of all others: as many Rooms of 100 as make 1,000 sockets of one process. */
import { startChild } from './child.ts';
import { startCrowd } from './crowd-program.ts';
import type { CrowdSubject } from './crowd-subject.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = {
  full: { rooms: 10, people: 1_000, messages: 60, perSecond: 20 },
  tiny: { rooms: 1, people: 5, messages: 3, perSecond: 0 },
} as const;
/** Longest wait for everybody's place in the group, and for a message. */
const PATIENCE_MS = 120_000;
const BETWEEN_MS = 250;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`);
    await pause(20);
  }
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { rooms, people, messages, perSecond } = EFFORTS[effort];
  const load = loadNow();
  const subject = startChild<CrowdSubject>('crowd-subject.ts');
  const { origin } = await subject.ask('start', undefined);
  const crowd = await startCrowd(origin);
  try {
    const came = await crowd.join({ room: 'message', rooms, role: 'speaker', count: people, perSecond, keys: true });
    if (came < people) throw new Error(`${came} came of ${people}`);
    await until(async () => (await crowd.count()).keyed === people, 'a place in the group for everybody');
    const last: number[] = [];
    const middle: number[] = [];
    for (let message = 0; message < messages; message++) {
      await crowd.forget();
      await crowd.say();
      await until(async () => {
        const { due, heard } = await crowd.report();
        return heard >= due;
      }, 'a message');
      const { message: took } = await crowd.report();
      last.push(took.p99);
      middle.push(took.p50);
      await pause(BETWEEN_MS);
    }
    say(`${messages} messages to ${people} sockets`);
    const note = `${people} sockets of one process in ${rooms} Rooms, one speaks in each at once; ${messages} times`;
    return figures(
      load,
      [
        { name: 'message to everybody, p99 of the sockets', unit: 'ms', spread: spreadOf(last), goal: 25, note },
        { name: 'message to everybody, p50 of the sockets', unit: 'ms', spread: spreadOf(middle), note },
      ],
      'median',
    );
  } finally {
    await crowd.close();
    await subject.close();
  }
}

export const roomMessage: Bench = { name: 'room-message', title: 'a message to 1,000 sockets', run };
