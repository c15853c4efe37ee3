/** What must be refused and has no test where its code is: with the real library. */
import { describe, expect, it } from 'vitest';
import { GroupError, SUITE } from '@veilcast/e2ee';
import { groupOf, library, newAuthority, person } from '@veilcast/e2ee/fuzzing';

async function reasonOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'taken';
  } catch (thrown) {
    return thrown instanceof GroupError ? thrown.reason : `threw ${String(thrown)}`;
  }
}

describe('a member refuses', () => {
  it('a Commit of our own that comes back', async () => {
    const { states } = await groupOf(await newAuthority(), ['ada', 'bob', 'cyd']);
    const [ada, bob] = states;
    if (ada === undefined || bob === undefined) throw new Error('no group');
    const { commit } = await library.commitRemoval(ada, ['cyd' as never]);
    expect((await library.applyCommit(bob, commit)).removed).toEqual(['cyd']);
    expect(await reasonOf(library.applyCommit(ada, commit))).toBe('library');
  });

  it('a GroupInfo of another suite', async () => {
    const authority = await newAuthority();
    const { groupInfo } = await groupOf(authority, ['ada']);
    expect(SUITE).toBe('MLS_256_XWING_AES256GCM_SHA512_Ed25519');
    // version(2) wire format(2), then the group context: version(2), suite(2). 83 is ours, 1 the X25519 one.
    const downgraded = groupInfo.slice();
    expect([downgraded[6], downgraded[7]]).toEqual([0, 83]);
    downgraded[7] = 1;
    expect(await reasonOf(library.joinGroup(await person(authority, 'bob'), downgraded))).toBe('wrong-group');
  });
});
