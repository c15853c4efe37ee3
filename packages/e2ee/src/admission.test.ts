/** People let in together: what they get, what everybody refuses, and a Welcome that is not theirs. */
import { ADMITTED_MAX, type PeerId } from '@veilcast/protocol';
import { createCommit } from 'ts-mls/createCommit.js';
import type { KeyPackage } from 'ts-mls/keyPackage.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import type { Proposal } from 'ts-mls/proposal.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Authority, groupOf, library, newAuthority, person, reasonOf, seeded } from './fixture.ts';
import { decodeMessage, inspect } from './framing.ts';
import type { GroupSelf, GroupState, Offer, PendingCommit } from './group.ts';
import { checkKeyPackage } from './mls/additions.ts';
import { commitAdds } from './mls/commit.ts';
import { contentOf } from './state.ts';
import { suiteImpl } from './suite.ts';
import { libraryStateOf } from './testing/library-state.ts';

interface Comer {
  readonly self: GroupSelf;
  readonly offer: Offer;
}

let authority: Authority;
let ada: GroupState;
let bob: GroupState;
let cyd: GroupState;
let comers: Comer[];
let made: PendingCommit;
beforeAll(async () => {
  authority = await newAuthority();
  [ada, bob, cyd] = (await groupOf(authority, ['ada', 'bob', 'cyd'])).states as [GroupState, GroupState, GroupState];
  comers = await Promise.all(['dan', 'eve', 'fay', 'gil', 'hal'].map((peer) => comer(peer)));
  made = await library.commitAdmission(
    cyd,
    comers.map(({ offer }) => offer.keyPackage),
  );
});

async function comer(peer: string, by = authority): Promise<Comer> {
  const self = await person(by, peer);
  return { self, offer: await library.offer(self) };
}

function toldOf({ groupInfo, welcome }: PendingCommit): { groupInfo: Uint8Array; welcome: Uint8Array } {
  if (!welcome) throw new Error('no Welcome');
  return { groupInfo, welcome };
}

async function wordOf(state: GroupState): Promise<string> {
  return Buffer.from((await library.epochKeys(state)).baseKey).toString('hex');
}

function packageOf({ keyPackage }: Offer): KeyPackage {
  const message = decodeMessage(keyPackage);
  if (message?.wireformat !== 'mls_key_package') throw new Error('no KeyPackage');
  return message.keyPackage;
}

function adding(keyPackage: KeyPackage): Proposal {
  return { proposalType: 'add', add: { keyPackage } };
}

/** By the library alone, without a rule of ours. */
async function committed(by: GroupState, extraProposals: Proposal[]): Promise<Uint8Array> {
  const context = { state: await libraryStateOf(by), cipherSuite: await suiteImpl() };
  return encodeMlsMessage((await createCommit(context, { extraProposals, wireAsPublicMessage: true })).commit);
}

/** By our own parts, without a rule of who may be added by whom. */
async function added(by: GroupState, keyPackage: KeyPackage): Promise<Uint8Array> {
  const { commit } = await commitAdds(contentOf(by).mls, [keyPackage]);
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage: commit });
}

describe('an admission', () => {
  it('gives everybody the keys of one Epoch, to whom it says, in this order', async () => {
    expect(made.adds).toEqual(['dan', 'eve', 'fay', 'gil', 'hal']);
    expect(inspect(made.commit)?.adds).toEqual(comers.map(({ self }) => self.credential));
    const applied = await Promise.all([ada, bob].map((state) => library.applyCommit(state, made.commit)));
    for (const { by, external, added, removed } of applied) {
      expect([by, external, added, removed]).toEqual(['cyd', false, made.adds, []]);
    }
    const entered = await Promise.all(
      comers.map(async ({ self }) => {
        const offer = await library.offer(self);
        // Of a Commit of its own, since the offer of the others is used once.
        const one = await library.commitAdmission(cyd, [offer.keyPackage]);
        return [await library.joinByWelcome(self, offer, toldOf(one)), one] as const;
      }),
    );
    for (const [state, one] of entered) expect(await wordOf(state)).toBe(await wordOf(one.next));
    const states = [...applied.map(({ next }) => next), made.next];
    for (const { self, offer } of comers.slice(0, 3))
      states.push(await library.joinByWelcome(self, offer, toldOf(made)));
    expect(new Set(await Promise.all(states.map(wordOf))).size).toBe(1);
    const { members } = await library.epochKeys(states.at(-1) ?? cyd);
    expect(members.map(({ peerId }) => peerId)).toEqual(['ada', 'bob', 'cyd', 'dan', 'eve', 'fay', 'gil', 'hal']);
    // What was said before is not theirs.
    const { sealed } = await library.seal(ada, new Uint8Array([1]));
    expect(await reasonOf(library.open(states.at(-1) ?? cyd, sealed))).not.toBe('taken');
    // The tree has no unmerged leaf: somebody enters by ticket, and a newcomer is removed and reads no more.
    const entry = await library.joinGroup(await person(authority, 'ivy'), made.groupInfo);
    const after = await Promise.all(states.map((state) => library.applyCommit(state, entry.commit)));
    expect(new Set(await Promise.all([entry.next, ...after.map(({ next }) => next)].map(wordOf))).size).toBe(1);
    const out = await library.commitRemoval(after.at(-1)?.next ?? cyd, ['dan' as PeerId]);
    expect((await library.applyCommit(after[0]?.next ?? ada, out.commit)).removed).toEqual(['dan']);
  });

  it('leaves out who offers nothing that holds, and lets the others in', async () => {
    const [good, stranger, twice] = await Promise.all([comer('jan'), comer('kim', await newAuthority()), comer('ada')]);
    const cut = good.offer.keyPackage.subarray(0, 900);
    const packages = [cut, stranger.offer.keyPackage, twice.offer.keyPackage, good.offer.keyPackage];
    expect((await library.commitAdmission(cyd, packages)).adds).toEqual(['jan']);
    expect(await reasonOf(library.commitAdmission(cyd, packages.slice(0, 3)))).toBe('bad-credential');
  });

  it('not-allowed: by another than the highest leaf, or in a tree with gaps', async () => {
    const { offer } = await comer('jan');
    expect(await reasonOf(library.commitAdmission(bob, [offer.keyPackage]))).toBe('not-allowed');
    const commit = await added(bob, packageOf(offer));
    expect(await reasonOf(library.applyCommit(ada, commit))).toBe('not-allowed');
    const removal = await library.commitRemoval(ada, ['bob' as PeerId]);
    const left = (await library.applyCommit(cyd, removal.commit)).next;
    expect(await reasonOf(library.commitAdmission(left, [offer.keyPackage]))).toBe('not-allowed');
  });

  it('not-allowed: with a removal beside it, or of more than ADMITTED_MAX', async () => {
    const { offer } = await comer('jan');
    const remove: Proposal = { proposalType: 'remove', remove: { removed: 1 } };
    expect(await reasonOf(library.applyCommit(ada, await committed(cyd, [remove, adding(packageOf(offer))])))).toBe(
      'not-allowed',
    );
    const message = decodeMessage(made.commit);
    if (message?.wireformat !== 'mls_public_message') throw new Error('no Commit');
    const { content } = message.publicMessage;
    if (content.contentType !== 'commit') throw new Error('no Commit');
    const [one] = content.commit.proposals;
    if (!one) throw new Error('no Add');
    content.commit.proposals = Array.from({ length: ADMITTED_MAX + 1 }, () => one);
    expect(await reasonOf(library.applyCommit(ada, encodeMlsMessage(message)))).toBe('not-allowed');
  });

  it('bad-credential: a ghost that the member and the server let in, or a Peer who sits there', async () => {
    const ghost = await comer('kim', await newAuthority());
    const again = await comer('bob');
    for (const { offer } of [ghost, again]) {
      const commit = await added(cyd, packageOf(offer));
      expect(await reasonOf(library.applyCommit(ada, commit))).toBe('bad-credential');
    }
  });

  it('never takes a Commit with a changed bit', async () => {
    const pick = seeded(11);
    for (let round = 0; round < 40; round++) {
      const changed = made.commit.slice();
      const at = pick(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << pick(8));
      expect(await reasonOf(library.applyCommit(ada, changed))).not.toMatch(/taken|threw/);
    }
  });
});

describe('a KeyPackage', () => {
  it.each<[string, (keyPackage: KeyPackage) => KeyPackage, string]>([
    [
      'of another suite',
      (one) => ({ ...one, cipherSuite: 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519' }),
      'not-allowed',
    ],
    ['with one key for two things', (one) => ({ ...one, initKey: one.leafNode.hpkePublicKey }), 'not-allowed'],
    ['with a short key', (one) => ({ ...one, initKey: one.initKey.subarray(1) }), 'not-allowed'],
    [
      'with extensions',
      (one) => ({ ...one, extensions: [{ extensionType: 'application_id', extensionData: new Uint8Array(1) }] }),
      'not-allowed',
    ],
    ['with a lifetime of its own', (one) => withLifetime(one, { notBefore: 0n, notAfter: 1n }), 'not-allowed'],
    [
      'with another key than was signed',
      (one) => ({ ...one, initKey: one.initKey.map((byte) => byte ^ 1) }),
      'bad-signature',
    ],
  ])('%s is refused', async (_what, change, reason) => {
    const { offer } = await comer('jan');
    expect(await reasonOf(checkKeyPackage(packageOf(offer)))).toBe('taken');
    expect(await reasonOf(checkKeyPackage(change(packageOf(offer))))).toBe(reason);
  });
});

function withLifetime(one: KeyPackage, lifetime: { notBefore: bigint; notAfter: bigint }): KeyPackage {
  if (one.leafNode.leafNodeSource !== 'key_package') throw new Error('no leaf of a KeyPackage');
  return { ...one, leafNode: { ...one.leafNode, lifetime } };
}

describe('a Welcome', () => {
  it('never opens with a changed bit, nor with a changed GroupInfo', async () => {
    const { self, offer } = comers[4];
    const told = toldOf(made);
    const pick = seeded(7);
    for (let round = 0; round < 40; round++) {
      const what = round % 2 === 0 ? 'welcome' : 'groupInfo';
      const changed = told[what].slice();
      // What is meant for others is theirs to look at.
      const at = what === 'welcome' ? changed.length - 1 - pick(1300) : pick(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << pick(8));
      expect(await reasonOf(library.joinByWelcome(self, offer, { ...told, [what]: changed }))).not.toMatch(
        /taken|threw/,
      );
    }
    expect(await reasonOf(library.joinByWelcome(self, offer, told))).toBe('taken');
  });

  it('unknown-member, bad-signature: for somebody else, or of another Epoch', async () => {
    const { self, offer } = await comer('jan');
    expect(await reasonOf(library.joinByWelcome(self, offer, toldOf(made)))).toBe('unknown-member');
    const [one, other] = [await library.commitAdmission(cyd, [offer.keyPackage]), await library.commitRemoval(cyd, [])];
    const { welcome } = toldOf(one);
    expect(await reasonOf(library.joinByWelcome(self, offer, { groupInfo: other.groupInfo, welcome }))).toBe(
      'bad-signature',
    );
    expect(await reasonOf(library.joinByWelcome(self, offer, { ...toldOf(one), welcome: one.commit }))).toBe(
      'undecodable',
    );
  });

  it('library: an offer that was withdrawn or used; its secrets are wiped', async () => {
    const { self, offer } = await comer('jan');
    const one = await library.commitAdmission(cyd, [offer.keyPackage]);
    library.withdraw(offer);
    expect(await reasonOf(library.joinByWelcome(self, offer, toldOf(one)))).toBe('library');
    expect(Object.keys(offer).toSorted()).toEqual(['brand', 'keyPackage']);
    expect(contentOf(one.next).mls.ratchetTree.length).toBeGreaterThan(0);
  });
});
