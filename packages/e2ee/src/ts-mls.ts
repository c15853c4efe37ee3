/**
 * The GroupLibrary on ts-mls 1.6.4 (ADR 0006). Its traps are dealt with here and in mls/, and nowhere else: every leaf is validated by
 * us, one former Epoch is retained and never none, secrets are wiped only after a Commit was accepted, and rules that it does
 * not check itself are checked before it is asked. Commits are put together of its parts in mls/ (ADR 0027).
 */
import type { PeerId } from '@veilcast/protocol';
import type { ClientConfig } from 'ts-mls/clientConfig.js';
import { type ClientState, createGroup } from 'ts-mls/clientState.js';
import type { Extension } from 'ts-mls/extension.js';
import { type GroupInfo, ratchetTreeFromExtension, signGroupInfo } from 'ts-mls/groupInfo.js';
import { generateKeyPackageWithKey } from 'ts-mls/keyPackage.js';
import { defaultKeyPackageEqualityConfig } from 'ts-mls/keyPackageEqualityConfig.js';
import { mlsExporter } from 'ts-mls/keySchedule.js';
import { defaultLifetime } from 'ts-mls/lifetime.js';
import { defaultLifetimeConfig } from 'ts-mls/lifetimeConfig.js';
import { encodeMlsMessage, type MLSMessage } from 'ts-mls/message.js';
import { defaultPaddingConfig } from 'ts-mls/paddingConfig.js';
import type { PublicMessage } from 'ts-mls/publicMessage.js';
import type { RatchetTree } from 'ts-mls/ratchetTree.js';
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
import { commitRemoves, enter, type NextEpoch, takeCommit } from './mls/commit.ts';
import { leafSecrets } from './mls/leaf-secrets.ts';
import type { LeafTemplate } from './mls/path.ts';
import { checkNewKeys, encodeTree } from './mls/tree.ts';
import { isSame, leafOf, membersOf, type Roster, type RosterEntry, rosterOf, validated } from './roster.ts';
import { adopt, discard, type Held, hold, liveContentOf } from './state.ts';
import { SUITE, suiteImpl } from './suite.ts';
import { publicKeyOf, secretKeyOf } from './xwing.ts';

/** Of RFC 9605 §5.2; long enough to be a base key of SHA-512. */
const BASE_KEY_LABEL = 'SFrame 1.0 Base Key';
const BASE_KEY_BYTES = 64;
const NOTHING = new Uint8Array(0);
const CONFIG: ClientConfig = {
  // One Epoch back: 0 would keep all of them for ever.
  keyRetentionConfig: { retainKeysForEpochs: 1, retainKeysForGenerations: 10, maximumForwardRatchetSteps: 200 },
  lifetimeConfig: defaultLifetimeConfig,
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: defaultPaddingConfig,
  // Asked by nothing that is used: credentials are looked at here, each once (roster.ts).
  authService: { validateCredential: async () => false },
};

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
  const key = { signKey: self.leafKey.secretKey, publicKey: self.leafKey.publicKey };
  const { credential, capabilities } = templateOf(self);
  const { publicPackage, privatePackage } = await generateKeyPackageWithKey(
    credential,
    capabilities,
    defaultLifetime,
    [],
    key,
    suite,
  );
  const made = await guard(() =>
    createGroup(newGroupId(self.roomId), publicPackage, privatePackage, [], suite, CONFIG),
  );
  const { secretTree, ...mls } = made;
  const roster = await rosterOf(mls.ratchetTree, self.validate);
  const secrets = { tree: secretTree, unopened: new Map() };
  const held = heldOf({ mls: { ...mls, secretTree: [] }, secrets }, self.validate, roster);
  const state = hold(self.roomId, self.peerId, held);
  return { state, groupInfo: await groupInfoOf(made) };
}

async function joinGroup(self: GroupSelf, bytes: Uint8Array): Promise<PendingCommit> {
  const message = decodeMessage(bytes);
  if (message?.wireformat !== 'mls_group_info') throw new GroupError('undecodable');
  const { groupInfo } = message;
  const { groupContext } = groupInfo;
  if (groupContext.cipherSuite !== SUITE || roomOf(groupContext.groupId) !== self.roomId) {
    throw new GroupError('wrong-group');
  }
  if (groupContext.extensions.length > 0) throw new GroupError('not-allowed');
  const tree = treeOf(groupInfo);
  const before = await rosterOf(tree, self.validate);
  const former = leafOf(before, self.peerId);
  const keys = { signaturePrivateKey: self.leafKey.secretKey, clientConfig: CONFIG };
  const joined = await guard(() => enter(groupInfo, tree, templateOf(self), former, keys));
  const roster = await rosterOf(joined.mls.ratchetTree, self.validate, before);
  return {
    next: hold(self.roomId, self.peerId, heldOf(opened(joined), self.validate, roster)),
    commit: encodeMlsMessage(asMessage(joined.commit)),
    groupInfo: await groupInfoOf(joined.mls),
    removes: former === undefined ? [] : [self.peerId],
  };
}

async function commitRemoval(state: GroupState, peers: readonly PeerId[]): Promise<PendingCommit> {
  const content = liveContentOf(state);
  const { mls, roster, validate } = content;
  if (peers.includes(state.self) || new Set(peers).size !== peers.length) throw new GroupError('not-allowed');
  const removes = peers.map((peerId) => {
    const removed = leafOf(roster, peerId);
    if (removed === undefined) throw new GroupError('unknown-member');
    return removed;
  });
  const made = await guard(() => commitRemoves(mls, removes));
  const message = asMessage(made.commit);
  // What others would refuse must not leave us: above all a removal without an update path.
  judgeCommit(message, { ...mls.groupContext, roster });
  const next = new Map([...roster].filter(([leaf]) => !removes.includes(leaf)));
  return {
    next: hold(state.roomId, state.self, heldOf(opened(made), validate, next, content)),
    commit: encodeMlsMessage(message),
    groupInfo: await groupInfoOf(made.mls),
    removes: [...peers],
  };
}

async function applyCommit(state: GroupState, bytes: Uint8Array): Promise<AppliedCommit> {
  const content = liveContentOf(state);
  const { mls, roster, validate } = content;
  const commit = judgeCommit(decodeMessage(bytes), { ...mls.groupContext, roster });
  const by = await judgeCommitter(commit, content);
  const external = commit.sender === undefined;
  const removed = commit.removes.flatMap((leaf) => roster.get(leaf)?.peerId ?? []);
  const taken = await guard(() => takeCommit(mls, commit));
  if (taken === undefined) {
    const out = hold(state.roomId, state.self, { ...content, removed: true });
    return { next: out, by: by.peerId, external, added: [], removed };
  }
  const rest = [...roster].filter(([leaf]) => !commit.removes.includes(leaf) && leaf !== taken.leaf);
  const now = new Map([...rest, [taken.leaf, by] as const].toSorted(([a], [b]) => a - b));
  return {
    next: hold(state.roomId, state.self, heldOf(opened(taken), validate, now, content, [taken.spent])),
    by: by.peerId,
    external,
    added: hasEntry(roster, by.peerId) ? [] : [by.peerId],
    removed: removed.filter((peerId) => !hasEntry(now, peerId)),
  };
}

/** Who commits: a member as itself, or a newcomer whose Peer and keys are nobody else's. @throws GroupError */
async function judgeCommitter(
  { path, sender, removes }: JudgedCommit,
  { mls, roster, validate }: Held,
): Promise<RosterEntry> {
  const { credential, signaturePublicKey } = path.leafNode;
  const member = sender === undefined ? undefined : roster.get(sender);
  if (sender !== undefined && (member === undefined || !isSame(member, credential, signaturePublicKey))) {
    throw new GroupError('bad-credential');
  }
  // A member's too: it may have run out, or been revoked.
  const entry = await validated(credential, signaturePublicKey, validate);
  if (sender === undefined) {
    const others = [...roster].filter(([leaf]) => !removes.includes(leaf)).map(([, other]) => other);
    const taken = others.some(({ peerId, leafKey }) => peerId === entry.peerId || leafKey === entry.leafKey);
    if (taken) throw new GroupError('bad-credential');
    for (const leaf of removes) {
      if (roster.get(leaf)?.peerId !== entry.peerId) throw new GroupError('not-allowed');
      // Somebody took our own seat, with a credential of ours.
      if (leaf === mls.privatePath.leafIndex) throw new GroupError('removed');
    }
  }
  checkNewKeys(mls.ratchetTree, path);
  return entry;
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

/** Who we are in a tree and what we can do. */
function templateOf({ credential, leafKey }: GroupSelf): LeafTemplate {
  return {
    credential: { credentialType: 'basic', identity: new TextEncoder().encode(credential) },
    signaturePublicKey: leafKey.publicKey,
    capabilities: {
      versions: ['mls10'],
      ciphersuites: [SUITE],
      extensions: [],
      proposals: [],
      credentials: ['basic'],
    },
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
  const { groupContext, ratchetTree, keySchedule, confirmationTag, privatePath, signaturePrivateKey } = mls;
  const { signature } = await suiteImpl();
  const extensions: Extension[] = [
    { extensionType: 'external_pub', extensionData: await publicKeyOf(secretKeyOf(keySchedule.externalSecret)) },
    { extensionType: 'ratchet_tree', extensionData: encodeTree(ratchetTree) },
  ];
  const unsigned = { groupContext, extensions, confirmationTag, signer: privatePath.leafIndex };
  const groupInfo = await signGroupInfo(unsigned, signaturePrivateKey, signature);
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo });
}

function asMessage(publicMessage: PublicMessage): MLSMessage {
  return { version: 'mls10', wireformat: 'mls_public_message', publicMessage };
}

/** A new Epoch, in which nobody has spoken. */
function opened({ mls, encryptionSecret }: NextEpoch): Pick<Held, 'mls' | 'secrets'> {
  return { mls, secrets: leafSecrets(mls.ratchetTree.length, encryptionSecret) };
}

function heldOf(
  now: Pick<Held, 'mls' | 'secrets'>,
  validate: ValidateCredential,
  roster: Roster,
  before?: Held,
  spent: readonly Uint8Array[] = [],
): Held {
  const formerMark = before && markOf(before.mls.keySchedule.epochAuthenticator);
  const former = { formerRoster: before?.roster, formerMark, formerSecrets: before?.secrets };
  return { ...now, validate, roster, ...former, statement: undefined, spent, removed: false };
}

function hasEntry(roster: Roster, peerId: PeerId): boolean {
  return leafOf(roster, peerId) !== undefined;
}
