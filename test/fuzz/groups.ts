/** MLS: what the server reads without a key, and what a member opens with its own. */
import { GroupError, inspect } from '@veilcast/e2ee';
import { groupOf, library, newAuthority, person } from '@veilcast/e2ee/fuzzing';
import { sealed, type Target, type Verdict } from './target.ts';

async function group() {
  const authority = await newAuthority();
  const { states, groupInfo } = await groupOf(authority, ['ada', 'bob', 'cyd']);
  const [ada, bob, cyd] = states;
  if (ada === undefined || bob === undefined || cyd === undefined) throw new Error('no group');
  const removal = await library.commitRemoval(ada, ['cyd' as never]);
  const said = await library.seal(ada, new TextEncoder().encode('hello'));
  const dan = await person(authority, 'dan');
  const entry = await library.joinGroup(dan, groupInfo);
  const fay = await person(authority, 'fay');
  const offer = await library.offer(fay);
  const admission = await library.commitAdmission(cyd, [offer.keyPackage]);
  const { welcome } = admission;
  if (welcome === undefined) throw new Error('no Welcome');
  return { bob, cyd, dan, fay, groupInfo, removal, said, entry, offer, admission, welcome };
}

function naturals(values: readonly number[]): boolean {
  return values.every((value) => Number.isInteger(value) && value >= 0);
}

/**
 * What the delivery service and the first checks of a member read of it without a key. Nothing of it is believed, but its numbers must be
 * numbers and no field longer than the whole.
 */
const readsAs =
  (kind: string) =>
  (input: Uint8Array): boolean => {
    const read = inspect(input);
    if (read === undefined) return false;
    const { removes = [], sender = 0, epoch, room, credential = '' } = read;
    if (!naturals([...removes, sender]) || !(epoch >= 0)) throw new RangeError('a number that is none');
    if (Math.max(removes.length, room.length, credential.length) > input.length)
      throw new RangeError('larger than what it was read from');
    return read.kind === kind;
  };

async function byReason(attempt: () => Promise<unknown>): Promise<Verdict> {
  try {
    await attempt();
    return 'taken';
  } catch (thrown) {
    if (!(thrown instanceof GroupError)) throw thrown;
    return { refused: thrown.reason };
  }
}

export const messageTarget = async (): Promise<Target> => {
  const { bob, said } = await group();
  return sealed(
    'application message',
    [said.sealed],
    (input) => byReason(() => library.open(bob, input)),
    readsAs('application'),
  );
};

export const commitTarget = async (): Promise<Target> => {
  const { bob, removal, entry, admission } = await group();
  return sealed(
    'Commit',
    [removal.commit, entry.commit, admission.commit],
    (input) => byReason(() => library.applyCommit(bob, input)),
    readsAs('commit'),
  );
};

export const keyPackageTarget = async (): Promise<Target> => {
  const { cyd, offer } = await group();
  return sealed(
    'KeyPackage',
    [offer.keyPackage],
    (input) => byReason(() => library.commitAdmission(cyd, [input])),
    readsAs('keyPackage'),
  );
};

export const welcomeTarget = async (): Promise<Target> => {
  const { fay, offer, admission, welcome } = await group();
  const { groupInfo } = admission;
  return sealed(
    'Welcome',
    [welcome],
    (input) => byReason(() => library.joinByWelcome(fay, offer, { groupInfo, welcome: input })),
    readsAs('welcome'),
  );
};

export const groupInfoTarget = async (): Promise<Target> => {
  const { dan, groupInfo } = await group();
  return sealed(
    'GroupInfo',
    [groupInfo],
    (input) => byReason(() => library.joinGroup(dan, input)),
    readsAs('groupInfo'),
  );
};
