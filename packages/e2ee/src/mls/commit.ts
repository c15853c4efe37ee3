/**
 * The Commits that there are in a group of ours, made and taken (RFC 9420 §12.4): a member removes others or nobody, or lets people
 * in, and somebody enters. Each step is the library's or gives what its own would give, which a test compares; what is put together here is what the
 * library puts together for every Commit that MLS knows, at several times the cost (ADR 0027). Who may commit what is judged before
 * (commit-rules.ts), credentials are looked at by who calls (ts-mls.ts).
 */
import { type ClientState, exportSecret, nextEpochContext } from 'ts-mls/clientState.js';
import type { EpochReceiverData } from 'ts-mls/epochReceiverData.js';
import {
  createConfirmationTag,
  createContentCommitSignature,
  type FramedContentCommit,
  verifyConfirmationTag,
} from 'ts-mls/framedContent.js';
import { type GroupInfo, verifyGroupInfoSignature } from 'ts-mls/groupInfo.js';
import type { KeyPackage } from 'ts-mls/keyPackage.js';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import { protectPublicMessage, unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import type { Proposal } from 'ts-mls/proposal.js';
import type { PublicMessage } from 'ts-mls/publicMessage.js';
import { addLeafNode, removeLeafNode, type RatchetTree } from 'ts-mls/ratchetTree.js';
import type { Sender } from 'ts-mls/sender.js';
import { leafToNodeIndex, type NodeIndex, nodeToLeafIndex, toLeafIndex } from 'ts-mls/treemath.js';
import { wipe } from '../bytes.ts';
import type { JudgedCommit } from '../commit-rules.ts';
import { GroupError } from '../group.ts';
import { suiteImpl } from '../suite.ts';
import { secretKeyOf } from '../xwing.ts';
import { applyPath, makePath, openPath, type LeafTemplate, type Renewed } from './path.ts';
import { checkKeyPackage, withAdded, type WelcomeSecrets } from './additions.ts';
import { checkLeaf, checkTree, leafAt, treeHash } from './tree.ts';

const WIRE = 'mls_public_message';
const NOTHING = new Uint8Array(0);
const INIT = new TextEncoder().encode('MLS 1.0 external init secret');

/** A state without the secrets of its leaves, and what those are made of. */
export interface NextEpoch {
  readonly mls: ClientState;
  readonly encryptionSecret: Uint8Array;
}

/** Those of `removes`, with new keys for ourselves. */
export async function commitRemoves(
  mls: ClientState,
  removes: readonly number[],
): Promise<NextEpoch & { readonly commit: PublicMessage }> {
  const { groupContext, privatePath, signaturePrivateKey } = mls;
  const { leafIndex } = privatePath;
  const tree = withoutLeaves(mls.ratchetTree, removes);
  const made = await makePath(tree, leafIndex, leafAt(tree, leafIndex), groupContext, signaturePrivateKey);
  const commit = { proposals: removes.map(asRemove).map(byValue), path: made.path };
  const sender = { senderType: 'member', leafIndex } as const;
  const { joinerSecret, ...step } = await signed(mls, commit, sender, {
    ...made,
    initSecret: mls.keySchedule.initSecret,
  });
  wipe([joinerSecret]);
  return { ...step, mls: { ...step.mls, historicalReceiverData: historyOf(mls) } };
}

/** Of those who offer these KeyPackages, with new keys for ourselves; the secrets are for their Welcome. @throws GroupError */
export async function commitAdds(
  mls: ClientState,
  packages: readonly KeyPackage[],
): Promise<NextEpoch & { readonly commit: PublicMessage; readonly leaves: readonly NodeIndex[] } & WelcomeSecrets> {
  const { groupContext, privatePath, signaturePrivateKey } = mls;
  const { leafIndex } = privatePath;
  await Promise.all(packages.map(checkKeyPackage));
  const { tree, leaves } = withAdded(mls.ratchetTree, packages);
  const own = leafAt(tree, leafIndex);
  const made = await makePath(tree, leafIndex, own, groupContext, signaturePrivateKey, leaves);
  const commit = { proposals: packages.map(asAdd).map(byValue), path: made.path };
  const sender = { senderType: 'member', leafIndex } as const;
  const { joinerSecret, ...step } = await signed(mls, commit, sender, {
    ...made,
    initSecret: mls.keySchedule.initSecret,
  });
  const next = { ...step.mls, historicalReceiverData: historyOf(mls) };
  return { ...step, mls: next, leaves, joinerSecret, pathSecrets: made.pathSecrets };
}

/** By somebody who is not in the tree, or takes the place of its own old leaf there. @throws GroupError */
export async function enter(
  { groupContext, confirmationTag, extensions, signer, signature }: GroupInfo,
  tree: RatchetTree,
  self: LeafTemplate,
  former: number | undefined,
  keys: Pick<ClientState, 'signaturePrivateKey' | 'clientConfig'>,
): Promise<NextEpoch & { readonly commit: PublicMessage }> {
  const suite = await suiteImpl();
  const externalPub = extensions.find(({ extensionType }) => extensionType === 'external_pub');
  if (externalPub === undefined) throw new GroupError('undecodable');
  await checkTree(tree, groupContext);
  const groupInfo = { groupContext, confirmationTag, extensions, signer, signature };
  const { signaturePublicKey } = leafAt(tree, signer);
  if (!(await verifyGroupInfoSignature(groupInfo, signaturePublicKey, suite.signature))) {
    throw new GroupError('bad-signature');
  }
  const { enc, secret: initSecret } = await exportSecret(externalPub.extensionData, suite);
  const removes = former === undefined ? [] : [former];
  const empty = { hpkePublicKey: NOTHING, parentHash: NOTHING, extensions: [], signature: NOTHING };
  const [withLeaf, at] = addLeafNode(withoutLeaves(tree, removes), { ...self, ...empty, leafNodeSource: 'commit' });
  const made = await makePath(withLeaf, nodeToLeafIndex(at), self, groupContext, keys.signaturePrivateKey);
  const init: Proposal = { proposalType: 'external_init', externalInit: { kemOutput: enc } };
  const commit = { proposals: [...removes.map(asRemove), init].map(byValue), path: made.path };
  const before = { ...keys, groupContext, confirmationTag, keySchedule: undefined };
  const sender = { senderType: 'new_member_commit' } as const;
  const { joinerSecret, ...step } = await signed(before, commit, sender, { ...made, initSecret });
  wipe([initSecret, joinerSecret]);
  return step;
}

interface Taken extends NextEpoch {
  readonly spent: Uint8Array;
  readonly leaf: number;
  /** Of those who were added, in their order. */
  readonly added: readonly number[];
}

/** Undefined when it removes us: then there is nothing for us in it. @throws GroupError */
export async function takeCommit(
  mls: ClientState,
  { message, path, sender, removes, adds }: JudgedCommit,
): Promise<Taken | undefined> {
  const suite = await suiteImpl();
  const { groupContext, keySchedule, privatePath } = mls;
  const { content, auth } = await unprotectPublicMessage(
    keySchedule.membershipKey,
    groupContext,
    mls.ratchetTree,
    message,
    suite,
  );
  if (content.contentType !== 'commit' || auth.contentType !== 'commit') throw new GroupError('not-allowed');
  await Promise.all(adds.map(checkKeyPackage));
  const without = withoutLeaves(mls.ratchetTree, removes);
  const { tree: rest, leaves } = withAdded(without, adds);
  const [before, at] =
    sender === undefined ? addLeafNode(rest, path.leafNode) : [rest, leafToNodeIndex(toLeafIndex(sender))];
  const leaf = nodeToLeafIndex(at);
  await checkLeaf(path.leafNode, at, groupContext.groupId);
  if (removes.includes(privatePath.leafIndex)) return undefined;
  const tree = applyPath(before, leaf, path);
  const { commitSecret, privatePath: ours } = await openPath(tree, privatePath, leaf, path, groupContext, leaves);
  const initSecret = await initSecretOf(mls, content.commit.proposals);
  const step = { tree, commitSecret, initSecret, privatePath: ours };
  const { confirmationTag, signature } = auth;
  const { joinerSecret, encryptionSecret, ...next } = await nextEpoch(mls, content, signature, step);
  wipe([joinerSecret]);
  const { confirmationKey } = next.keySchedule;
  const { confirmedTranscriptHash } = next.groupContext;
  if (!(await verifyConfirmationTag(confirmationKey, confirmationTag, confirmedTranscriptHash, suite.hash))) {
    throw new GroupError('bad-signature');
  }
  const state = { ...mls, ...next, confirmationTag, historicalReceiverData: historyOf(mls) };
  return { mls: state, encryptionSecret, spent: initSecret, leaf, added: leaves.map(nodeToLeafIndex) };
}

interface Before {
  readonly groupContext: ClientState['groupContext'];
  readonly confirmationTag: Uint8Array;
  readonly signaturePrivateKey: Uint8Array;
  readonly clientConfig: ClientState['clientConfig'];
  /** Undefined: somebody who enters has none. */
  readonly keySchedule: ClientState['keySchedule'] | undefined;
}

type Step = Renewed & { readonly initSecret: Uint8Array };

/** Signs, confirms and protects a Commit of ours, and goes on to the Epoch that it makes. */
async function signed(
  before: Before,
  commit: FramedContentCommit['commit'],
  sender: Sender,
  step: Step,
): Promise<NextEpoch & { readonly commit: PublicMessage; readonly joinerSecret: Uint8Array }> {
  const suite = await suiteImpl();
  const { groupContext, signaturePrivateKey, clientConfig, keySchedule } = before;
  const { framedContent: content, signature } = await createContentCommitSignature(
    groupContext,
    WIRE,
    commit,
    sender,
    NOTHING,
    signaturePrivateKey,
    suite.signature,
  );
  const { encryptionSecret, joinerSecret, ...epoch } = await nextEpoch(before, content, signature, step);
  const { confirmationKey, membershipKey } = epoch.keySchedule;
  const { confirmedTranscriptHash } = epoch.groupContext;
  const confirmationTag = await createConfirmationTag(confirmationKey, confirmedTranscriptHash, suite.hash);
  const authenticated = {
    wireformat: WIRE,
    content,
    auth: { contentType: 'commit', signature, confirmationTag },
  } as const;
  // One who enters has no membership key, and its message no membership tag (§6.2).
  const key = keySchedule?.membershipKey ?? membershipKey;
  const mls: ClientState = {
    ...epoch,
    secretTree: [],
    historicalReceiverData: new Map(),
    unappliedProposals: {},
    groupActiveState: { kind: 'active' },
    confirmationTag,
    signaturePrivateKey,
    clientConfig,
  };
  const protectedCommit = await protectPublicMessage(key, groupContext, authenticated, suite);
  return { mls, encryptionSecret, commit: protectedCommit, joinerSecret };
}

/** The key schedule of the Epoch that a Commit makes (§8). Wipes the commit secret; the joiner secret is the caller's to wipe. */
async function nextEpoch(
  { groupContext, confirmationTag }: Pick<Before, 'groupContext' | 'confirmationTag'>,
  content: FramedContentCommit,
  signature: Uint8Array,
  { tree, privatePath, initSecret, commitSecret }: Step,
): Promise<
  Pick<ClientState, 'groupContext' | 'keySchedule' | 'ratchetTree' | 'privatePath'> &
    Pick<NextEpoch, 'encryptionSecret'> & { readonly joinerSecret: Uint8Array }
> {
  const { kdf, hash } = await suiteImpl();
  const next = await nextEpochContext(groupContext, WIRE, content, signature, treeHash(tree), confirmationTag, hash);
  const noPsk = new Uint8Array(kdf.size);
  const { keySchedule, encryptionSecret, joinerSecret, welcomeSecret } = await initializeEpoch(
    initSecret,
    commitSecret,
    next,
    noPsk,
    kdf,
  );
  // A Welcome of ours seals nothing with its own secret (additions.ts).
  wipe([commitSecret, welcomeSecret]);
  return { groupContext: next, keySchedule, ratchetTree: tree, privatePath, encryptionSecret, joinerSecret };
}

/** That of the Epoch, or what somebody who enters made with its public key (§8.3). */
async function initSecretOf(
  { keySchedule }: ClientState,
  proposals: FramedContentCommit['commit']['proposals'],
): Promise<Uint8Array> {
  const { hpke, kdf } = await suiteImpl();
  for (const entry of proposals) {
    if (entry.proposalOrRefType !== 'proposal' || entry.proposal.proposalType !== 'external_init') continue;
    const key = await hpke.importPrivateKey(secretKeyOf(keySchedule.externalSecret));
    return hpke.importSecret(key, INIT, entry.proposal.externalInit.kemOutput, kdf.size, NOTHING);
  }
  return keySchedule.initSecret;
}

/** The Epoch that is left, for its late messages; none before it. */
function historyOf({ groupContext, ratchetTree, keySchedule }: ClientState): Map<bigint, EpochReceiverData> {
  const { senderDataSecret, resumptionPsk } = keySchedule;
  const left = { groupContext, ratchetTree, senderDataSecret, resumptionPsk, secretTree: [] };
  return new Map([[groupContext.epoch, left]]);
}

function withoutLeaves(tree: RatchetTree, leaves: readonly number[]): RatchetTree {
  return leaves.reduce((rest, leaf) => removeLeafNode(rest, toLeafIndex(leaf)), tree);
}

function asAdd(keyPackage: KeyPackage): Proposal {
  return { proposalType: 'add', add: { keyPackage } };
}

function asRemove(removed: number): Proposal {
  return { proposalType: 'remove', remove: { removed } };
}

function byValue(proposal: Proposal): { proposalOrRefType: 'proposal'; proposal: Proposal } {
  return { proposalOrRefType: 'proposal', proposal };
}
