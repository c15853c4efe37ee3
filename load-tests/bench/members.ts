/**
 * The key path with real members: each has a device, a leaf key and the real library, and comes in through a real cluster's sockets, as the
 * placeholders of a crowd do (ADR 0032). From the door to the keys, and from somebody's leaving until all who stay have the next ones.
 */
import { equalBytes } from '@veilcast/e2ee/identity';
import { Member } from '../../test/support/member.ts';
import { startChild } from './child.ts';
import type { CrowdSubject } from './crowd-subject.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = { full: { members: 24, turns: 20 }, tiny: { members: 3, turns: 1 } } as const;
const ROOM = 'members';
/** DESIGN §8, for 64 of them. */
const GOAL_MS = 300;
/** Longer than anything here may take on a busy machine. */
const PATIENCE_MS = 60_000;

/** @throws Error when it does not come to hold, or a member failed */
async function until(all: readonly Member[], holds: (member: Member) => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!all.every(holds)) {
    const broken = all.find(({ failure }) => failure !== undefined);
    if (broken) throw new Error('a member failed', { cause: broken.failure });
    if (Date.now() > deadline) throw new Error('the members do not come together');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const epochOf = ({ now }: Member): number => now?.epoch ?? -1;

/** All have the keys of one Epoch, and they are the same. */
function together(all: readonly Member[]): boolean {
  const [first, ...others] = all.map(({ now }) => now);
  return (
    first !== undefined &&
    others.every((keys) => keys?.epoch === first.epoch && equalBytes(keys.authenticator, first.authenticator))
  );
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { members, turns } = EFFORTS[effort];
  const load = loadNow();
  const subject = startChild<CrowdSubject>('crowd-subject.ts');
  const all: Member[] = [];
  const entered: number[] = [];
  const removed: number[] = [];
  try {
    const { origin } = await subject.ask('start', undefined);
    const enter = async (): Promise<void> => {
      const began = Date.now();
      const member = await Member.enter(origin, ROOM);
      all.push(member);
      await until([member], (one) => one.now !== undefined);
      entered.push((member.now?.at ?? Number.NaN) - began);
      await until(all, () => together(all));
    };
    for (let n = 0; n < members; n++) await enter();
    say(`${members} members, epoch ${epochOf(all[0]!)}`);
    for (let turn = 1; turn <= turns; turn++) {
      const leaver = all.shift()!;
      const before = epochOf(leaver);
      const began = Date.now();
      await leaver.leave();
      await until(all, (member) => epochOf(member) > before);
      await until(all, () => together(all));
      removed.push(Math.max(...all.map(({ now }) => now?.at ?? Number.NaN)) - began);
      await enter();
      say(`turn ${turn}: ${removed.at(-1)} ms until all who stay have the next key`);
    }
  } finally {
    for (const member of all) member.line.close();
    await subject.close();
  }
  const note = `${members} members over sockets of a real cluster; the cryptography of all of them on one thread`;
  return figures(
    load,
    [
      { name: 'a real member, from the door to its keys', unit: 'ms', spread: spreadOf(entered), note },
      { name: 'removal until all have the next key', unit: 'ms', spread: spreadOf(removed), goal: GOAL_MS, note },
    ],
    'p95',
  );
}

export const members: Bench = { name: 'members', title: 'real members over a real cluster', run };
