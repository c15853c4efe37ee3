/**
 * The rows of DESIGN §7 about workers, nodes and hosts, with real processes, browsers and media: what is killed or stopped, and how long the pictures stood still that viewers saw.
 * The gaps are printed; the bounds are those of a busy machine with two cores, the goals stand in docs/failure.md, and the bench
 * `failover` takes them.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './support/browser.ts';
import { FailingCall, type Failed } from './support/failing-call.ts';
import { isRunning } from './support/processes.ts';

/**
 * Several times the goals, 1.5 s and 3 s: under a load of 30 on two cores the gaps were 3 to 6 s. A client that nobody tells, or that must join
 * anew, takes longer there.
 */
const BOUND_MS = { death: 12_000, silence: 15_000, none: 5_000, blank: 1_500 } as const;

let call: FailingCall;

beforeAll(async () => {
  call = await FailingCall.start();
}, 240_000);
afterAll(() => call?.end());

function say(what: string, { gaps }: Failed<unknown>): void {
  console.log(`${what}: ${gaps.theirs} ms without a picture, ${gaps.others} ms for who was not concerned`);
}

/** Media went elsewhere; the Peer, its group and its keys are the same, and who was elsewhere did not notice. */
function keptItsSeat({ before, after: now, gaps }: Failed<unknown>, boundMs: number): void {
  expect(now.self.peerId).toBe(before.self.peerId);
  expect(now.e2ee).toMatchObject({ state: 'encrypted', epoch: before.e2ee.epoch, members: 3 });
  expect(gaps.theirs).toBeLessThan(boundMs);
  expect(gaps.others).toBeLessThan(BOUND_MS.none);
}

it('a worker dies: its people are moved, and nobody else notices', async () => {
  const failed = await call.after(async ({ self }) => {
    for (const pid of await call.cluster.workersOf(self.node)) process.kill(pid, 'SIGKILL');
  });
  say('kill -9 of a worker', failed);
  keptItsSeat(failed, BOUND_MS.death);
});

it('a worker hangs: its node kills it', async () => {
  const failed = await call.after(async ({ self }) => {
    const hung = await call.cluster.workersOf(self.node);
    call.stop(...hung);
    return hung;
  });
  say('SIGSTOP of a worker', failed);
  keptItsSeat(failed, BOUND_MS.silence);
  await eventually(
    'the hung worker to be killed',
    async () => failed.broken.filter(isRunning),
    (left) => left.length === 0,
  );
});

it('a node process dies: its people are moved to another of their region, and it is started again', async () => {
  const failed = await call.after(({ self }) => call.kill(self.node));
  say('kill -9 of a node process', failed);
  keptItsSeat(failed, BOUND_MS.death);
  expect(failed.after.self.node).not.toBe(failed.before.self.node);
  expect(failed.after.self.region).toBe('us');
  await failed.broken();
});

it('a host hangs, node process and workers: its people are moved, and it comes back clean', async () => {
  const failed = await call.after(async ({ self }) =>
    call.stop(await call.cluster.pidOf(self.node), ...(await call.cluster.workersOf(self.node))),
  );
  say('SIGSTOP of a node process and its workers', failed);
  keptItsSeat(failed, BOUND_MS.silence);
  expect(failed.after.self.node).not.toBe(failed.before.self.node);
  call.goOn();
  await call.flows();
});

it('the owner of the Room dies: pictures go on while all come over to its next owner', async () => {
  const reports = await call.reports();
  const failed = await call.after(async () => {
    const runsAgain = await call.killOwner();
    const killedAt = Date.now();
    await call.cameOver(reports);
    console.log(`all have come over to the next owner ${Date.now() - killedAt} ms after kill -9 of the Room's owner`);
    return runsAgain;
  });
  say("kill -9 of the Room's owner", failed);
  // What was shown is shown until there is something else. On a busy machine somebody may take longer than the others wait, but not all do.
  expect(Math.min(...failed.gaps.blank)).toBeLessThan(BOUND_MS.blank);
  expect(failed.after.e2ee).toMatchObject({ state: 'encrypted', members: 3 });
  await failed.broken();
});

it.each(['cascade-router-1', 'redis'])(
  '%s is killed: pictures go on, and somebody who comes anew sees them',
  async (name) => {
    const failed = await call.after(async () => {
      const runsAgain = await call.kill(name);
      await call.newcomer();
      return runsAgain;
    });
    say(`kill -9 of ${name}, and somebody who comes`, failed);
    expect(failed.after.self.peerId).toBe(failed.before.self.peerId);
    // The same Consumers all the time. A page that comes costs pictures where all share two cores, and how many is no matter of the cluster.
    expect(failed.gaps.tracks).toBe(1);
    await failed.broken();
  },
);

it('the one that started them all is killed: nobody is left behind', async () => {
  const pids = [...(await call.cluster.byName()).values()];
  expect(pids.length).toBeGreaterThan(8);
  call.cluster.up.kill('SIGKILL');
  await eventually(
    'all have ended',
    async () => pids.filter(isRunning),
    (left) => left.length === 0,
    30_000,
  );
});
