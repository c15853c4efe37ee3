/** What is put together here and what ts-mls does by itself come to the same, on either side of each Commit: trees, secrets, keys. */
import type { PeerId } from '@veilcast/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultClientConfig } from 'ts-mls/clientConfig.js';
import type { ClientState } from 'ts-mls/clientState.js';
import { createCommit, createGroupInfoWithExternalPubAndRatchetTree, joinGroupExternal } from 'ts-mls/createCommit.js';
import { generateKeyPackageWithKey } from 'ts-mls/keyPackage.js';
import { defaultLifetime } from 'ts-mls/lifetime.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { verifyParentHashes } from 'ts-mls/parentHash.js';
import { processPublicMessage } from 'ts-mls/processMessages.js';
import type { Proposal } from 'ts-mls/proposal.js';
import { emptyPskIndex } from 'ts-mls/pskIndex.js';
import { encodeRatchetTree, type Node, type RatchetTree } from 'ts-mls/ratchetTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { equalBytes } from '../bytes.ts';
import { type Authority, groupOf, library, newAuthority, person, reasonOf, ROOM, seeded } from '../fixture.ts';
import { decodeMessage } from '../framing.ts';
import type { GroupSelf, GroupState } from '../group.ts';
import { leafOf, rosterOf } from '../roster.ts';
import { contentOf, hold } from '../state.ts';
import { SUITE, suiteImpl } from '../suite.ts';
import { libraryStateOf } from '../testing/library-state.ts';
import { checkTree, encodeTree, treeHash } from './tree.ts';

const SEEDS = 8;
const STEPS = 10;
const MOST = 7;

let authority: Authority;
beforeAll(async () => {
  authority = await newAuthority();
});

interface Made {
  readonly commit: Uint8Array;
  readonly groupInfo: Uint8Array;
  readonly next: GroupState;
  readonly removes: readonly string[];
}

async function taken(credential: string): Promise<{ peerId: PeerId }> {
  const [, claims = ''] = credential.split('.');
  return { peerId: (JSON.parse(atob(claims)) as { peer: PeerId }).peer };
}

/** A state that the library made, as one of ours. */
async function asOurs(self: PeerId, mls: ClientState): Promise<GroupState> {
  const secrets = { tree: mls.secretTree, unopened: new Map() };
  const roster = await rosterOf(mls.ratchetTree, taken);
  const former = { formerRoster: undefined, formerMark: undefined, formerSecrets: undefined };
  const rest = { statement: undefined, spent: [], removed: false };
  return hold(ROOM, self, { mls: { ...mls, secretTree: [] }, secrets, validate: taken, roster, ...former, ...rest });
}

async function made(self: PeerId, mls: ClientState, commit: Uint8Array, removes: readonly string[]): Promise<Made> {
  const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(mls, [], await suiteImpl());
  const bytes = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo });
  return { commit, groupInfo: bytes, next: await asOurs(self, mls), removes };
}

/** By the library alone. */
async function removal(by: GroupState, removes: readonly string[]): Promise<Made> {
  const { roster } = contentOf(by);
  const extraProposals = removes.map((peer): Proposal => {
    return { proposalType: 'remove', remove: { removed: leafOf(roster, peer as PeerId) ?? -1 } };
  });
  const context = { state: await libraryStateOf(by), cipherSuite: await suiteImpl() };
  const { newState, commit } = await createCommit(context, { extraProposals, wireAsPublicMessage: true });
  return made(by.self, newState, encodeMlsMessage(commit), removes);
}

/** By the library alone. */
async function entry(self: GroupSelf, groupInfo: Uint8Array, former: Uint8Array | undefined): Promise<Made> {
  const suite = await suiteImpl();
  const message = decodeMessage(groupInfo);
  if (message?.wireformat !== 'mls_group_info') throw new Error('no GroupInfo');
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    { credentialType: 'basic', identity: new TextEncoder().encode(self.credential) },
    { versions: ['mls10'], ciphersuites: [SUITE], extensions: [], proposals: [], credentials: ['basic'] },
    defaultLifetime,
    [],
    { signKey: self.leafKey.secretKey, publicKey: self.leafKey.publicKey },
    suite,
  );
  const { keyPackageEqualityConfig } = defaultClientConfig;
  const compareKeyPackageToLeafNode = (_: unknown, leaf: { readonly signaturePublicKey: Uint8Array }): boolean =>
    former !== undefined && equalBytes(leaf.signaturePublicKey, former);
  const config = {
    ...defaultClientConfig,
    keyPackageEqualityConfig: { ...keyPackageEqualityConfig, compareKeyPackageToLeafNode },
  };
  const resync = former !== undefined;
  const tree = undefined;
  const joined = await joinGroupExternal(message.groupInfo, publicPackage, privatePackage, resync, suite, tree, config);
  const { publicMessage, newState } = joined;
  const commit = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });
  return made(self.peerId, newState, commit, resync ? [self.peerId] : []);
}

/** Everything that two in one Epoch share, and what each says of the tree. */
async function expectSame(ours: GroupState, theirs: ClientState): Promise<void> {
  const { hash } = await suiteImpl();
  const { mls } = contentOf(ours);
  expect(mls.groupContext).toEqual(theirs.groupContext);
  expect(mls.keySchedule).toEqual(theirs.keySchedule);
  expect(encodeTree(mls.ratchetTree)).toEqual(encodeRatchetTree(theirs.ratchetTree));
  expect(treeHash(mls.ratchetTree)).toEqual(await treeHashRoot(theirs.ratchetTree, hash));
  expect(await verifyParentHashes(mls.ratchetTree, hash)).toBe(true);
  await checkTree(mls.ratchetTree, mls.groupContext);
  const { secretTree } = await libraryStateOf(ours);
  // Leaves alone: the library derives ratchets for parents too, which nobody has.
  expect(secretTree.filter((_, node) => node % 2 === 0)).toEqual(theirs.secretTree.filter((_, node) => node % 2 === 0));
}

/** We and the library take it from the same state, and come to the same; who is removed comes to nothing. */
async function delivered(states: readonly GroupState[], { commit, next, removes }: Made): Promise<GroupState[]> {
  const message = decodeMessage(commit);
  if (message?.wireformat !== 'mls_public_message') throw new Error('no Commit');
  const after: GroupState[] = [];
  for (const state of states.filter(({ self }) => self !== next.self)) {
    const before = await libraryStateOf(state);
    const theirs = await processPublicMessage(before, message.publicMessage, emptyPskIndex, await suiteImpl());
    const applied = await library.applyCommit(state, commit);
    const isOut = removes.includes(state.self);
    expect(theirs.newState.groupActiveState.kind).toBe(isOut ? 'removedFromGroup' : 'active');
    expect(applied.removed.includes(state.self)).toBe(isOut);
    if (isOut) continue;
    await expectSame(applied.next, theirs.newState);
    await expectSame(applied.next, await libraryStateOf(next));
    after.push(applied.next);
  }
  return [...after, next];
}

describe('Commits made and taken here, and by ts-mls', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('come to the same in history %i', async (seed) => {
    const pick = seeded(seed);
    const first = await library.createGroup(await person(authority, 'p'));
    let states = [first.state];
    let { groupInfo } = first;
    const people: GroupSelf[] = [];
    for (let n = 0; n < STEPS; n++) {
      const byLibrary = pick(2) === 0;
      const [some] = states.toSpliced(0, pick(states.length));
      if (!some) throw new Error('nobody is there');
      const others = states.map(({ self }) => self).filter((peer) => peer !== some.self);
      const returning = people.find(({ peerId }) => others.includes(peerId));
      let commit: Made;
      if (states.length < 3 || (states.length < MOST && pick(2) === 0)) {
        const again = returning !== undefined && pick(3) === 0;
        const self = await person(authority, again ? returning.peerId : `p${n}`);
        const former = again ? returning.leafKey.publicKey : undefined;
        people.splice(again ? people.indexOf(returning) : 0, again ? 1 : 0, self);
        commit = await (byLibrary ? entry(self, groupInfo, former) : library.joinGroup(self, groupInfo));
      } else {
        const removes = others.slice(0, pick(Math.min(3, others.length)));
        commit = await (byLibrary ? removal(some, removes) : library.commitRemoval(some, removes));
      }
      states = await delivered(states, commit);
      ({ groupInfo } = commit);
    }
  });
});

/** With one node changed, and the hash as it would then be: only what is wrong with the node is wrong. */
async function refused(at: number, change: (node: Node) => Node): Promise<string> {
  const { states } = await groupOf(authority, ['ada', 'bob', 'cyd', 'dan']);
  const [ada] = states;
  if (!ada) throw new Error('nobody is there');
  const { ratchetTree, groupContext } = contentOf(ada).mls;
  const tree: RatchetTree = ratchetTree.map((node, index) => (index === at && node ? change(node) : node));
  return reasonOf(checkTree(tree, { ...groupContext, treeHash: treeHash(tree) }));
}
const parent =
  (change: object) =>
  (node: Node): Node =>
    node.nodeType === 'parent' ? { ...node, parent: { ...node.parent, ...change } } : node;
const leaf =
  (change: object) =>
  (node: Node): Node =>
    node.nodeType === 'leaf' ? { ...node, leaf: { ...node.leaf, ...change } } : node;

describe('a tree that somebody enters by', () => {
  it('is taken when nothing is wrong', async () => {
    expect(await refused(0, (node) => ({ ...node }))).toBe('taken');
  });

  it('bad-signature: another key or hash in a parent, another leaf, another hash of all', async () => {
    expect(await refused(3, parent({ hpkePublicKey: new Uint8Array(1216) }))).toBe('bad-signature');
    expect(await refused(5, parent({ parentHash: new Uint8Array(64) }))).toBe('bad-signature');
    expect(await refused(6, leaf({ parentHash: new Uint8Array(64) }))).toBe('bad-signature');
    expect(await refused(2, leaf({ signature: new Uint8Array(64) }))).toBe('bad-signature');
    expect(await refused(6, leaf({ leafNodeSource: 'update' }))).toBe('bad-signature');
    const { states } = await groupOf(authority, ['ada', 'bob']);
    const { ratchetTree, groupContext } = contentOf(states[0]).mls;
    const other = { ...groupContext, treeHash: new Uint8Array(64) };
    expect(await reasonOf(checkTree(ratchetTree, other))).toBe('bad-signature');
  });

  it('not-allowed: unmerged leaves, a key twice, a leaf where a parent belongs', async () => {
    expect(await refused(3, parent({ unmergedLeaves: [0] }))).toBe('not-allowed');
    expect(await refused(1, () => ({ nodeType: 'leaf', leaf: {} as never }))).toBe('not-allowed');
    const { states } = await groupOf(authority, ['ada', 'bob']);
    const { ratchetTree, groupContext } = contentOf(states[0]).mls;
    const [first] = ratchetTree;
    const twice = [first, ratchetTree[1], first];
    expect(await reasonOf(checkTree(twice, groupContext))).toBe('not-allowed');
  });
});
