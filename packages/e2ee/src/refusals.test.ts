/** Every Commit that must not be taken, made as well as an attacker could, and refused without a trace. */
import type { PeerId } from '@veilcast/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Capabilities } from 'ts-mls/capabilities.js';
import { createCommit, joinGroupExternal } from 'ts-mls/createCommit.js';
import { createProposal } from 'ts-mls/createMessage.js';
import { defaultKeyPackageEqualityConfig } from 'ts-mls/keyPackageEqualityConfig.js';
import { generateKeyPackageWithKey } from 'ts-mls/keyPackage.js';
import { defaultLifetime } from 'ts-mls/lifetime.js';
import { encodeMlsMessage, type MLSMessage } from 'ts-mls/message.js';
import type { Proposal } from 'ts-mls/proposal.js';
import {
  type Authority,
  base64Url,
  claimsOf,
  groupOf,
  library,
  newAuthority,
  person,
  reasonOf,
  seeded,
} from './fixture.ts';
import { decodeMessage } from './framing.ts';
import type { GroupErrorReason, GroupSelf, GroupState, PendingCommit } from './group.ts';
import { contentOf } from './state.ts';
import { SUITE, suiteImpl } from './suite.ts';
import { libraryStateOf } from './testing/library-state.ts';

let authority: Authority;
let ada: GroupState;
let bob: GroupState;
let groupInfo: Uint8Array;
let good: PendingCommit;
beforeAll(async () => {
  authority = await newAuthority();
  const group = await groupOf(authority, ['ada', 'bob', 'cyd', 'dan']);
  [ada, bob] = group.states as [GroupState, GroupState];
  ({ groupInfo } = group);
  good = await library.commitRemoval(ada, ['cyd' as PeerId]);
});

const REASONS: readonly GroupErrorReason[] = [
  'undecodable',
  'wrong-group',
  'wrong-epoch',
  'bad-credential',
  'bad-signature',
  'no-update-path',
  'unknown-member',
  'not-allowed',
  'library',
];

/** Refused for this reason, and then the good Commit is still taken: nothing was changed. */
async function expectRefused(commit: Uint8Array, reason: string): Promise<void> {
  expect(await reasonOf(library.applyCommit(bob, commit))).toBe(reason);
  const { next } = await library.applyCommit(bob, good.commit);
  expect((await library.epochKeys(next)).baseKey).toEqual((await library.epochKeys(good.next)).baseKey);
}

/** What a member who does not keep to the rules can sign. */
async function committed(proposals: readonly Proposal[], publicly = true): Promise<Uint8Array> {
  const context = { state: await libraryStateOf(ada), cipherSuite: await suiteImpl() };
  const options = { extraProposals: [...proposals], wireAsPublicMessage: publicly };
  return encodeMlsMessage((await createCommit(context, options)).commit);
}

const remove = (removed: number): Proposal => ({ proposalType: 'remove', remove: { removed } });

/** A Commit with one thing in it changed after it was signed. */
function altered(commit: Uint8Array, change: (content: CommitContent) => void): Uint8Array {
  const message = decodeMessage(commit) as MLSMessage & { wireformat: 'mls_public_message' };
  change(message.publicMessage.content as CommitContent);
  return encodeMlsMessage(message);
}

interface CommitContent {
  groupId: Uint8Array;
  epoch: bigint;
  sender: { senderType: string; leafIndex?: number };
  commit: {
    proposals: { proposalOrRefType: 'proposal'; proposal: Proposal }[];
    path?:
      | {
          leafNode: { credential: unknown; signaturePublicKey: Uint8Array; hpkePublicKey: Uint8Array };
          nodes: { hpkePublicKey: Uint8Array }[];
        }
      | undefined;
  };
}

/** Enters with the bare library: whatever the credential says, and replacing whatever leaf it names. */
async function enter(self: GroupSelf, replaced?: number): Promise<Uint8Array> {
  const suite = await suiteImpl();
  const message = decodeMessage(groupInfo);
  if (message?.wireformat !== 'mls_group_info') throw new Error('no GroupInfo');
  const credential = { credentialType: 'basic' as const, identity: new TextEncoder().encode(self.credential) };
  const capabilities: Capabilities = {
    versions: ['mls10'],
    ciphersuites: [SUITE],
    extensions: [],
    proposals: [],
    credentials: ['basic'],
  };
  const keys = { signKey: self.leafKey.secretKey, publicKey: self.leafKey.publicKey };
  const made = await generateKeyPackageWithKey(credential, capabilities, defaultLifetime, [], keys, suite);
  const { mls } = contentOf(ada);
  const victim = replaced === undefined ? undefined : mls.ratchetTree[replaced * 2];
  const victimKey = victim?.nodeType === 'leaf' ? Buffer.from(victim.leaf.signaturePublicKey) : undefined;
  const config = {
    ...mls.clientConfig,
    authService: { validateCredential: async () => true },
    keyPackageEqualityConfig: {
      ...defaultKeyPackageEqualityConfig,
      compareKeyPackageToLeafNode: (_: unknown, leaf: { signaturePublicKey: Uint8Array }) =>
        victimKey?.equals(leaf.signaturePublicKey) === true,
    },
  };
  const { publicPackage, privatePackage } = made;
  const resync = replaced !== undefined;
  const joined = await joinGroupExternal(
    message.groupInfo,
    publicPackage,
    privatePackage,
    resync,
    suite,
    undefined,
    config,
  );
  const { publicMessage } = joined;
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });
}

describe('entries', () => {
  it('the way of these tests to enter is taken when all is right', async () => {
    const commit = await enter(await person(authority, 'eve'));
    expect((await library.applyCommit(bob, commit)).added).toEqual(['eve']);
  });

  it('bad-credential: forged, of another Room, of another key, expired, or none at all', async () => {
    await expectRefused(await enter(await person(await newAuthority(), 'eve')), 'bad-credential');
    await expectRefused(await enter(await person(authority, 'eve', { room: 'other' })), 'bad-credential');
    const otherLeaf = base64Url((await library.generateLeafKey()).publicKey);
    await expectRefused(await enter(await person(authority, 'eve', { leaf: otherLeaf })), 'bad-credential');
    await expectRefused(await enter(await person(authority, 'eve', { exp: 1_000_000_000 })), 'bad-credential');
    await expectRefused(await enter({ ...(await person(authority, 'eve')), credential: 'eve' }), 'bad-credential');
  });

  it('bad-credential: a Peer who sits there already, with another key', async () => {
    await expectRefused(await enter(await person(authority, 'ada')), 'bad-credential');
  });

  it('bad-credential: a key that sits there already, for another Peer', async () => {
    const leafKey = await library.generateLeafKey();
    const enters = async (peer: string): Promise<GroupSelf> => ({
      ...(await person(authority, peer)),
      leafKey,
      credential: await authority.sign(claimsOf(peer, leafKey.publicKey)),
    });
    const first = await library.joinGroup(await enters('eve'), groupInfo);
    const withEve = (await library.applyCommit(bob, first.commit)).next;
    const before = groupInfo;
    try {
      ({ groupInfo } = first);
      const commit = await enter(await enters('fay'));
      expect(await reasonOf(library.applyCommit(withEve, commit))).toBe('bad-credential');
      expect(await reasonOf(library.joinGroup(await enters('fay'), first.groupInfo))).toBe('bad-credential');
    } finally {
      groupInfo = before;
    }
  });

  it('not-allowed: throwing out somebody else on the way in', async () => {
    await expectRefused(await enter(await person(authority, 'eve'), 2), 'not-allowed');
    // Not even the one who is asked.
    await expectRefused(await enter(await person(authority, 'eve'), 1), 'not-allowed');
  });

  it('removed: our own seat taken with a credential of ours', async () => {
    expect(await reasonOf(library.applyCommit(bob, await enter(await person(authority, 'bob'), 1)))).toBe('removed');
  });

  it('not-allowed: two entries in one, or an entry by a member', async () => {
    const entry = await enter(await person(authority, 'eve'));
    const twice = altered(entry, ({ commit }) => commit.proposals.push(...commit.proposals));
    await expectRefused(twice, 'not-allowed');
    const asMember = altered(good.commit, ({ commit }) => {
      const external = { proposalType: 'external_init' as const, externalInit: { kemOutput: new Uint8Array(1120) } };
      commit.proposals.push({ proposalOrRefType: 'proposal', proposal: external });
    });
    await expectRefused(asMember, 'not-allowed');
  });

  it('not-allowed: a leaf with a key of the tree', async () => {
    const entry = await enter(await person(authority, 'eve'));
    const node = contentOf(bob).mls.ratchetTree[0];
    if (node?.nodeType !== 'leaf') throw new Error('no leaf');
    const same = altered(entry, ({ commit }) => {
      if (commit.path !== undefined) commit.path.leafNode.hpkePublicKey = node.leaf.hpkePublicKey;
    });
    await expectRefused(same, 'not-allowed');
  });
});

describe('Commits of members', () => {
  it('no-update-path: a removal that renews no key', async () => {
    await expectRefused(
      altered(good.commit, ({ commit }) => {
        commit.path = undefined;
      }),
      'no-update-path',
    );
  });

  it('not-allowed: anything but removals', async () => {
    const suite = await suiteImpl();
    const eve = await person(authority, 'eve');
    const credential = { credentialType: 'basic' as const, identity: new TextEncoder().encode(eve.credential) };
    const { capabilities } = keysOf(0);
    const keys = { signKey: eve.leafKey.secretKey, publicKey: eve.leafKey.publicKey };
    const made = await generateKeyPackageWithKey(credential, capabilities, defaultLifetime, [], keys, suite);
    const add: Proposal = { proposalType: 'add', add: { keyPackage: made.publicPackage } };
    const gce: Proposal = { proposalType: 'group_context_extensions', groupContextExtensions: { extensions: [] } };
    await expectRefused(await committed([remove(2), add]), 'not-allowed');
    await expectRefused(await committed([remove(2), gce]), 'not-allowed');
    await expectRefused(await committed([add]), 'no-update-path');
  });

  it('not-allowed: hidden from the server, by reference, or only proposed', async () => {
    await expectRefused(await committed([remove(2)], false), 'not-allowed');
    const suite = await suiteImpl();
    const proposed = await createProposal(await libraryStateOf(ada), true, remove(2), suite);
    await expectRefused(encodeMlsMessage(proposed.message), 'not-allowed');
    const context = { state: proposed.newState, cipherSuite: suite };
    const byReference = await createCommit(context, { wireAsPublicMessage: true });
    await expectRefused(encodeMlsMessage(byReference.commit), 'not-allowed');
  });

  it('not-allowed: removing one twice, or oneself', async () => {
    const again = altered(good.commit, ({ commit }) => commit.proposals.push(...commit.proposals));
    await expectRefused(again, 'not-allowed');
    const itself = altered(good.commit, ({ commit }) => {
      commit.proposals = [{ proposalOrRefType: 'proposal', proposal: remove(0) }];
    });
    await expectRefused(itself, 'not-allowed');
  });

  it('unknown-member: from or about a seat where nobody sits', async () => {
    const nobody = altered(good.commit, ({ commit }) => {
      commit.proposals = [{ proposalOrRefType: 'proposal', proposal: remove(9) }];
    });
    await expectRefused(nobody, 'unknown-member');
    await expectRefused(
      altered(good.commit, (content) => {
        content.sender = { senderType: 'member', leafIndex: 9 };
      }),
      'unknown-member',
    );
  });

  it('not-allowed: a path with a key of the tree, or with one key twice', async () => {
    const other = contentOf(bob).mls.ratchetTree[5];
    if (other?.nodeType !== 'parent') throw new Error('no parent');
    const same = altered(good.commit, ({ commit }) => {
      const [node] = commit.path?.nodes ?? [];
      if (node) node.hpkePublicKey = other.parent.hpkePublicKey;
    });
    await expectRefused(same, 'not-allowed');
    const twice = altered(good.commit, ({ commit }) => {
      const [node] = commit.path?.nodes ?? [];
      if (node && commit.path) commit.path.leafNode.hpkePublicKey = node.hpkePublicKey;
    });
    await expectRefused(twice, 'not-allowed');
  });

  it('bad-credential: a member who becomes somebody else', async () => {
    const { credential } = keysOf(3);
    const asDan = altered(good.commit, ({ commit }) => {
      if (commit.path !== undefined) commit.path.leafNode.credential = credential;
    });
    await expectRefused(asDan, 'bad-credential');
    const otherKey = altered(good.commit, ({ commit }) => {
      if (commit.path !== undefined) commit.path.leafNode.signaturePublicKey = new Uint8Array(32);
    });
    await expectRefused(otherKey, 'bad-credential');
  });

  it('bad-signature: another sender, another victim, another tag', async () => {
    const asBob = altered(good.commit, (content) => {
      content.sender = { senderType: 'member', leafIndex: 3 };
    });
    expect(await reasonOf(library.applyCommit(bob, asBob))).toBe('bad-credential');
    const other = altered(good.commit, ({ commit }) => {
      commit.proposals = [{ proposalOrRefType: 'proposal', proposal: remove(3) }];
    });
    await expectRefused(other, 'bad-signature');
    const tag = good.commit.slice();
    tag[tag.length - 1] = (tag.at(-1) ?? 0) ^ 1;
    await expectRefused(tag, 'bad-signature');
  });

  it('wrong-epoch: older, newer, and the same Commit again', async () => {
    const { next } = await library.applyCommit(bob, good.commit);
    expect(await reasonOf(library.applyCommit(next, good.commit))).toBe('wrong-epoch');
    const later = await library.commitRemoval(good.next, []);
    expect(await reasonOf(library.applyCommit(bob, later.commit))).toBe('wrong-epoch');
  });

  it('wrong-group: another group of the same Room', async () => {
    const other = await groupOf(authority, ['ada', 'bob', 'cyd', 'dan']);
    const [otherAda] = other.states;
    if (otherAda === undefined) throw new Error('no group');
    const foreign = await library.commitRemoval(otherAda, ['cyd' as PeerId]);
    await expectRefused(foreign.commit, 'wrong-group');
  });
});

describe('bytes', () => {
  it('refuses thousands of random ones, cut ones and changed ones, and goes on', async () => {
    const pick = seeded(11);
    for (let round = 0; round < 3000; round++) {
      const bytes = Uint8Array.from({ length: pick(200) }, () => pick(256));
      expect(await reasonOf(library.applyCommit(bob, bytes))).toBe('undecodable');
    }
    for (let length = 0; length < good.commit.length; length += 7) {
      expect(await reasonOf(library.applyCommit(bob, good.commit.subarray(0, length)))).toBe('undecodable');
    }
    for (let round = 0; round < 150; round++) {
      const changed = good.commit.slice();
      const at = pick(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << pick(8));
      expect(REASONS).toContain(await reasonOf(library.applyCommit(bob, changed)));
    }
    await expectRefused(new Uint8Array(0), 'undecodable');
  });
});

function keysOf(leaf: number) {
  const node = contentOf(ada).mls.ratchetTree[leaf * 2];
  if (node?.nodeType !== 'leaf') throw new Error('no leaf');
  return node.leaf;
}
