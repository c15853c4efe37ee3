/**
 * The GroupLibrary on ts-mls 1.6.4 (ADR 0006). Its traps are dealt with here and nowhere else: our validation is passed to
 * every entry, one former Epoch is retained and never none, secrets are wiped only after a Commit was accepted, and
 * rules that it does not check itself are checked before it is asked.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { PeerId } from '@veilcast/protocol';
import type { Capabilities } from 'ts-mls/capabilities.js';
import type { ClientConfig } from 'ts-mls/clientConfig.js';
import { type ClientState, createGroup } from 'ts-mls/clientState.js';
import { createCommit, createGroupInfoWithExternalPubAndRatchetTree, joinGroupExternal } from 'ts-mls/createCommit.js';
import { type GroupInfo, ratchetTreeFromExtension } from 'ts-mls/groupInfo.js';
import { generateKeyPackageWithKey, type KeyPackage, type PrivateKeyPackage } from 'ts-mls/keyPackage.js';
import { defaultKeyPackageEqualityConfig } from 'ts-mls/keyPackageEqualityConfig.js';
import { mlsExporter } from 'ts-mls/keySchedule.js';
import { defaultLifetime } from 'ts-mls/lifetime.js';
import { defaultLifetimeConfig } from 'ts-mls/lifetimeConfig.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { defaultPaddingConfig } from 'ts-mls/paddingConfig.js';
import { emptyPskIndex } from 'ts-mls/pskIndex.js';
import { processPublicMessage } from 'ts-mls/processMessages.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
import { equalBytes } from './bytes.ts';
import { judgeCommit, type JudgedCommit } from './commit-rules.ts';
import { markOf } from './epoch-mark.ts';
import { guard } from './errors.ts';
import { decodeMessage, newGroupId, roomOf } from './framing.ts';
import {
  type AppliedCommit,
  type EpochKeys,
  GroupError,
  type GroupLibrary,
  type GroupSelf,
  type GroupState,
  type LeafKey,
  type PendingCommit,
  type ValidateCredential,
} from './group.ts';
import { openMessage, sealMessage } from './messages.ts';
import { isSame, leafOf, membersOf, type Roster, rosterOf, validated } from './roster.ts';
import { adopt, discard, type Held, hold, liveContentOf } from './state.ts';
import { SUITE, suiteImpl } from './suite.ts';

/** Of RFC 9605 §5.2; long enough to be a base key of SHA-512. */
const BASE_KEY_LABEL = 'SFrame 1.0 Base Key';
const BASE_KEY_BYTES = 64;
const NOTHING = new Uint8Array(0);

/** The library in the form that Veilcast uses. It holds nothing: every state is in the values it gives out. */
export function tsMlsLibrary(): GroupLibrary {
  return {
    generateLeafKey,
    createGroup: newGroup,
    joinGroup,
    commitRemoval,
    applyCommit,
    seal: sealMessage,
    open: openMessage,
    epochKeys,
    adopt,
    discard,
  };
}

async function generateLeafKey(): Promise<LeafKey> {
  const { publicKey, signKey } = await (await suiteImpl()).signature.keygen();
  return { publicKey, secretKey: signKey };
}

async function newGroup(self: GroupSelf): Promise<{ state: GroupState; groupInfo: Uint8Array }> {
  const suite = await suiteImpl();
  const { publicPackage, privatePackage } = await keyPackage(self);
  const config = configOf(self.validate);
  const mls = await guard(() => createGroup(newGroupId(self.roomId), publicPackage, privatePackage, [], suite, config));
  const roster = await rosterOf(mls.ratchetTree, self.validate);
  const state = hold(self.roomId, self.peerId, heldOf(mls, self.validate, roster));
  return { state, groupInfo: await groupInfoOf(mls) };
}

async function joinGroup(self: GroupSelf, bytes: Uint8Array): Promise<PendingCommit> {
  const suite = await suiteImpl();
  const message = decodeMessage(bytes);
  if (message?.wireformat !== 'mls_group_info') throw new GroupError('undecodable');
  const { groupInfo } = message;
  const { groupContext } = groupInfo;
  if (groupContext.cipherSuite !== SUITE || roomOf(groupContext.groupId) !== self.roomId) {
    throw new GroupError('wrong-group');
  }
  if (groupContext.extensions.length > 0) throw new GroupError('not-allowed');
  const validate = remembering(self.validate);
  const { publicPackage, privatePackage } = await keyPackage(self);
  let formerKey: Uint8Array | undefined;
  const config: ClientConfig = {
    ...configOf(validate),
    keyPackageEqualityConfig: {
      compareKeyPackages: () => false,
      compareKeyPackageToLeafNode: (_, leaf) =>
        formerKey !== undefined && equalBytes(leaf.signaturePublicKey, formerKey),
    },
  };
  const tree = treeOf(groupInfo);
  const before = await rosterOf(tree, validate);
  const former = leafOf(before, self.peerId);
  const formerNode = former === undefined ? undefined : tree[former * 2];
  if (formerNode?.nodeType === 'leaf') formerKey = formerNode.leaf.signaturePublicKey;
  const resync = formerKey !== undefined;
  const joined = await guard(() =>
    joinGroupExternal(groupInfo, publicPackage, privatePackage, resync, suite, tree, config),
  );
  const mls = { ...joined.newState, clientConfig: configOf(self.validate) };
  const roster = await rosterOf(mls.ratchetTree, validate, before);
  return {
    next: hold(self.roomId, self.peerId, heldOf(mls, self.validate, roster)),
    commit: encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_public_message',
      publicMessage: joined.publicMessage,
    }),
    groupInfo: await groupInfoOf(mls),
    removes: resync ? [self.peerId] : [],
  };
}

async function commitRemoval(state: GroupState, peers: readonly PeerId[]): Promise<PendingCommit> {
  const content = liveContentOf(state);
  const { mls, roster, validate } = content;
  if (peers.includes(state.self) || new Set(peers).size !== peers.length) throw new GroupError('not-allowed');
  const extraProposals = peers.map((peerId) => {
    const removed = leafOf(roster, peerId);
    if (removed === undefined) throw new GroupError('unknown-member');
    return { proposalType: 'remove' as const, remove: { removed } };
  });
  const context = { state: mls, cipherSuite: await suiteImpl() };
  const made = await guard(() => createCommit(context, { extraProposals, wireAsPublicMessage: true }));
  // What others would refuse must not leave us: above all a removal without an update path.
  judgeCommit(made.commit, { ...mls.groupContext, roster });
  const next = await rosterOf(made.newState.ratchetTree, validate, roster);
  return {
    next: hold(state.roomId, state.self, heldOf(made.newState, validate, next, content, made.consumed)),
    commit: encodeMlsMessage(made.commit),
    groupInfo: await groupInfoOf(made.newState),
    removes: [...peers],
  };
}

async function applyCommit(state: GroupState, bytes: Uint8Array): Promise<AppliedCommit> {
  const content = liveContentOf(state);
  const { mls, roster, validate } = content;
  const commit = judgeCommit(decodeMessage(bytes), { ...mls.groupContext, roster });
  const by = await judgeCommitter(commit, content);
  const external = commit.sender === undefined;
  const suite = await suiteImpl();
  const removed = commit.removes.flatMap((leaf) => roster.get(leaf)?.peerId ?? []);
  const result = await guard(() => processPublicMessage(mls, commit.message, emptyPskIndex, suite));
  const left = result.newState.groupActiveState.kind !== 'active';
  if (left) {
    const out = { ...heldOf(result.newState, validate, roster), removed: true };
    return { next: hold(state.roomId, state.self, out), by, external, added: [], removed };
  }
  const now = await rosterOf(result.newState.ratchetTree, validate, roster);
  const added = external ? [...now.values()].filter((entry) => !hasEntry(roster, entry.peerId)) : [];
  return {
    next: hold(state.roomId, state.self, heldOf(result.newState, validate, now, content, result.consumed)),
    by,
    external,
    added: added.map((entry) => entry.peerId),
    removed: removed.filter((peerId) => !hasEntry(now, peerId)),
  };
}

/** Who commits: a member as itself, or a newcomer whose Peer and keys are nobody else's. @throws GroupError */
async function judgeCommitter(
  { path, sender, removes }: JudgedCommit,
  { mls, roster, validate }: Held,
): Promise<PeerId> {
  const { credential, signaturePublicKey, hpkePublicKey } = path.leafNode;
  if (sender !== undefined) {
    const member = roster.get(sender);
    if (member === undefined || !isSame(member, credential, signaturePublicKey)) throw new GroupError('bad-credential');
    return member.peerId;
  }
  const entrant = await validated(credential, signaturePublicKey, validate);
  const others = [...roster].filter(([leaf]) => !removes.includes(leaf)).map(([, entry]) => entry);
  const taken = others.some((entry) => entry.peerId === entrant.peerId || entry.leafKey === entrant.leafKey);
  if (taken) throw new GroupError('bad-credential');
  for (const leaf of removes) {
    if (roster.get(leaf)?.peerId !== entrant.peerId) throw new GroupError('not-allowed');
    // Somebody took our own seat, with a credential of ours.
    if (leaf === mls.privatePath.leafIndex) throw new GroupError('removed');
  }
  const keys = mls.ratchetTree.map((node) =>
    node?.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node?.parent.hpkePublicKey,
  );
  const used = keys.some((key) => key !== undefined && equalBytes(key, hpkePublicKey));
  if (used) throw new GroupError('not-allowed');
  return entrant.peerId;
}

async function epochKeys(state: GroupState): Promise<EpochKeys> {
  const { mls, roster } = liveContentOf(state);
  const { exporterSecret, epochAuthenticator } = mls.keySchedule;
  const suite = await suiteImpl();
  return {
    epoch: state.epoch,
    baseKey: await mlsExporter(exporterSecret, BASE_KEY_LABEL, NOTHING, BASE_KEY_BYTES, suite),
    authenticator: epochAuthenticator.slice(),
    selfLeaf: mls.privatePath.leafIndex,
    members: membersOf(roster),
  };
}

interface Packages {
  readonly publicPackage: KeyPackage;
  readonly privatePackage: PrivateKeyPackage;
}

/** Never sent: it is the form in which the library takes a leaf. Its lifetime says nothing, the credential's does. */
async function keyPackage(self: GroupSelf): Promise<Packages> {
  const credential = { credentialType: 'basic' as const, identity: new TextEncoder().encode(self.credential) };
  const capabilities: Capabilities = {
    versions: ['mls10'],
    ciphersuites: [SUITE],
    extensions: [],
    proposals: [],
    credentials: ['basic'],
  };
  const key = { signKey: self.leafKey.secretKey, publicKey: self.leafKey.publicKey };
  return generateKeyPackageWithKey(credential, capabilities, defaultLifetime, [], key, await suiteImpl());
}

function configOf(validate: ValidateCredential): ClientConfig {
  return {
    // One Epoch back: 0 would keep all of them for ever.
    keyRetentionConfig: { retainKeysForEpochs: 1, retainKeysForGenerations: 10, maximumForwardRatchetSteps: 200 },
    lifetimeConfig: defaultLifetimeConfig,
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: defaultPaddingConfig,
    authService: {
      validateCredential: async (credential, leafKey) =>
        validated(credential, leafKey, validate).then(
          () => true,
          () => false,
        ),
    },
  };
}

/** A tree's credentials are looked at by us and by the library; the signatures are checked once. */
function remembering(validate: ValidateCredential): ValidateCredential {
  const known = new Map<string, ReturnType<ValidateCredential>>();
  return (credential, leafKey) => {
    const name = `${bytesToHex(leafKey)} ${credential}`;
    const answer = known.get(name) ?? validate(credential, leafKey);
    known.set(name, answer);
    return answer;
  };
}

/** @throws GroupError `undecodable` */
function treeOf(groupInfo: GroupInfo): RatchetTree {
  try {
    const tree = ratchetTreeFromExtension(groupInfo);
    if (tree !== undefined) return tree;
  } catch (cause) {
    throw new GroupError('undecodable', { cause });
  }
  throw new GroupError('undecodable');
}

async function groupInfoOf(mls: ClientState): Promise<Uint8Array> {
  const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(mls, [], await suiteImpl());
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo });
}

function heldOf(
  mls: ClientState,
  validate: ValidateCredential,
  roster: Roster,
  before?: Held,
  spent: readonly Uint8Array[] = [],
): Held {
  const formerMark = before && markOf(before.mls.keySchedule.epochAuthenticator);
  const former = { formerRoster: before?.roster, formerMark };
  return { mls, validate, roster, ...former, statement: undefined, spent, removed: false };
}

function hasEntry(roster: Roster, peerId: PeerId): boolean {
  return leafOf(roster, peerId) !== undefined;
}
