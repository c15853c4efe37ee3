/**
 * How long pictures stand still when something dies or hangs (DESIGN §7): real Chromiums in a call over `up --cluster`, whose processes are killed
 * and stopped one after the other. Read off the frames that the viewers' pages present.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { reportOf } from '../../test/support/browser.ts';
import { FailingCall, type Gaps } from '../../test/support/failing-call.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const ROUNDS = { full: 20, tiny: 1 } as const;
/** How long a fault that should not be seen is looked for: longer than the Leases of whoever died. */
const LOOK_MS = 3_000;

interface Fault {
  readonly what: string;
  readonly goalMs: number;
  /** Breaks it, waits until all see each other, and mends it. */
  readonly happens: (call: FailingCall) => Promise<Gaps>;
}

/** Nobody should miss its owner while all come over to the next one. */
async function ownerDies(call: FailingCall): Promise<Gaps> {
  const reports = await call.reports();
  const { gaps, broken } = await call.after(async () => {
    const runsAgain = await call.killOwner();
    await call.cameOver(reports);
    return runsAgain;
  });
  await broken();
  return gaps;
}

async function routerDies(call: FailingCall): Promise<Gaps> {
  const { gaps, broken } = await call.after(async () => {
    const runsAgain = await call.kill('cascade-router-1');
    await wait(LOOK_MS);
    return runsAgain;
  });
  await broken();
  return gaps;
}

/** Without any fault: what the machine does to pictures by itself. */
async function nothing(call: FailingCall): Promise<Gaps> {
  return (await call.after(() => wait(LOOK_MS))).gaps;
}

const FAULTS: readonly Fault[] = [
  { what: 'no fault', goalMs: 250, happens: nothing },
  {
    what: 'a worker dies',
    goalMs: 1_500,
    happens: async (call) => {
      const { gaps } = await call.after(async ({ self }) => {
        for (const pid of await call.cluster.workersOf(self.node)) process.kill(pid, 'SIGKILL');
      });
      return gaps;
    },
  },
  {
    what: 'a node process dies',
    goalMs: 1_500,
    happens: async (call) => {
      const { gaps, broken } = await call.after(({ self }) => call.kill(self.node));
      await broken();
      return gaps;
    },
  },
  {
    what: 'a host hangs',
    goalMs: 3_000,
    happens: async (call) => {
      const { gaps } = await call.after(async ({ self }) =>
        call.stop(await call.cluster.pidOf(self.node), ...(await call.cluster.workersOf(self.node))),
      );
      call.goOn();
      return gaps;
    },
  },
  { what: 'the owner of the Room dies', goalMs: 250, happens: ownerDies },
  { what: 'a cascade-router dies', goalMs: 250, happens: routerDies },
];

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const call = await FailingCall.start();
  try {
    const all: Figure[] = [];
    for (const { what, goalMs, happens } of effort === 'tiny' ? FAULTS.slice(0, 2) : FAULTS) {
      const load = loadNow();
      const samples: number[] = [];
      for (let round = 0; round < ROUNDS[effort]; round += 1) samples.push((await happens(call)).theirs);
      const { self } = await reportOf(call.page('Bob'));
      say(`${what}: ${samples.join(', ')} ms; Bob is on ${self.node}`);
      const note =
        'longest time between two pictures, Chromium to Chromium, cluster of processes on one machine, 15 pictures a second';
      const name = `picture stands still: ${what}`;
      all.push(...figures(load, [{ name, unit: 'ms', spread: spreadOf(samples), goal: goalMs, note }], 'p95'));
    }
    return all;
  } finally {
    await call.end();
  }
}

export const failover: Bench = { name: 'failover', title: 'how long pictures stand still when something dies', run };
