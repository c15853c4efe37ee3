/**
 * People let in by a member, many in one Commit (RFC 9420 §10, §12.1.1, §12.4.3.1): their KeyPackages, what they do to the tree, and
 * the Welcome that brings them the keys (ADR 0040).
 */
import type { ClientState } from 'ts-mls/clientState.js';
import { verifyConfirmationTag } from 'ts-mls/framedContent.js';
import { encodeGroupInfo, type GroupInfo, verifyGroupInfoSignature } from 'ts-mls/groupInfo.js';
import { type KeyPackage, makeKeyPackageRef, type PrivateKeyPackage, verifyKeyPackage } from 'ts-mls/keyPackage.js';
import { deriveKeySchedule } from 'ts-mls/keySchedule.js';
import { encodeLeafNode } from 'ts-mls/leafNode.js';
import { defaultLifetime } from 'ts-mls/lifetime.js';
import { pathToRoot } from 'ts-mls/pathSecrets.js';
import { addLeafNode, type RatchetTree } from 'ts-mls/ratchetTree.js';
import { nodeToLeafIndex, toLeafIndex, toNodeIndex, type NodeIndex } from 'ts-mls/treemath.js';
import { firstCommonAncestor } from 'ts-mls/updatePath.js';
import { decryptGroupSecrets, encryptGroupSecrets, type Welcome } from 'ts-mls/welcome.js';
import { equalBytes, wipe } from '../bytes.ts';
import { GroupError } from '../group.ts';
import { KEM_PUBLIC_BYTES } from '../pq/index.ts';
import { SUITE, suiteImpl } from '../suite.ts';
import { publicKeyOf } from '../xwing.ts';
import type { NextEpoch } from './commit.ts';
import { nodeKeyOf } from './path.ts';
import { checkLeaf, checkTree, keyOf, leafAt } from './tree.ts';

/** What the Welcome of an Epoch is made of, and nobody else may have. */
export interface WelcomeSecrets {
  readonly joinerSecret: Uint8Array;
  /** By node: what the committer's new path was made of. */
  readonly pathSecrets: ReadonlyMap<number, Uint8Array>;
}

/** Credential aside (roster.ts). @throws GroupError `not-allowed`, `bad-signature` */
export async function checkKeyPackage(keyPackage: KeyPackage): Promise<void> {
  const { version, cipherSuite, initKey, leafNode, extensions } = keyPackage;
  const ours = version === 'mls10' && cipherSuite === SUITE && extensions.length === 0;
  if (!ours || leafNode.leafNodeSource !== 'key_package' || leafNode.extensions.length > 0) {
    throw new GroupError('not-allowed');
  }
  // It lives as long as somebody stands at the door; what runs out is the credential in it.
  const { notBefore, notAfter } = leafNode.lifetime;
  if (notBefore !== defaultLifetime.notBefore || notAfter !== defaultLifetime.notAfter) {
    throw new GroupError('not-allowed');
  }
  const keys = [initKey, leafNode.hpkePublicKey];
  if (keys.some(({ length }) => length !== KEM_PUBLIC_BYTES) || equalBytes(initKey, leafNode.hpkePublicKey)) {
    throw new GroupError('not-allowed');
  }
  // A leaf of a KeyPackage says nothing of where it will sit.
  await checkLeaf(leafNode, toNodeIndex(0), new Uint8Array(0));
  const { signature } = await suiteImpl();
  if (!(await verifyKeyPackage(keyPackage, signature))) throw new GroupError('bad-signature');
}

/**
 * The tree with these in it, and where they sit. To the right of a committer on the highest leaf (commit-rules.ts), so that every
 * node above them that has keys is above the committer too, and gets new ones by its path: no leaf is left unmerged.
 */
export function withAdded(
  tree: RatchetTree,
  packages: readonly KeyPackage[],
): { readonly tree: RatchetTree; readonly leaves: readonly NodeIndex[] } {
  const leaves: NodeIndex[] = [];
  let next = tree;
  for (const { leafNode } of packages) {
    const [grown, at] = addLeafNode(next, leafNode);
    next = grown;
    leaves.push(at);
  }
  return { tree: next, leaves };
}

/**
 * For all that were added. Its GroupInfo is no secret here, since who enters by ticket has it too: it travels beside the Welcome,
 * which names it by its hash.
 */
export async function makeWelcome(
  groupInfo: GroupInfo,
  tree: RatchetTree,
  packages: readonly KeyPackage[],
  leaves: readonly NodeIndex[],
  { joinerSecret, pathSecrets }: WelcomeSecrets,
): Promise<Welcome> {
  const { hash, hpke } = await suiteImpl();
  const named = await hash.digest(encodeGroupInfo(groupInfo));
  const committer = toLeafIndex(groupInfo.signer);
  const secrets = packages.map(async (keyPackage, n) => {
    const leaf = nodeToLeafIndex(leaves[n] ?? toNodeIndex(0));
    const pathSecret = pathSecrets.get(firstCommonAncestor(tree, leaf, committer));
    const to = await hpke.importPublicKey(keyPackage.initKey);
    const { ct, enc } = await encryptGroupSecrets(to, named, { joinerSecret, pathSecret, psks: [] }, hpke);
    const newMember = await makeKeyPackageRef(keyPackage, hash);
    return { newMember, encryptedGroupSecrets: { kemOutput: enc, ciphertext: ct } };
  });
  return { cipherSuite: SUITE, secrets: await Promise.all(secrets), encryptedGroupInfo: named };
}

/** What somebody at the door made and keeps to itself. */
export interface OfferedKeys {
  readonly keyPackage: KeyPackage;
  readonly keys: PrivateKeyPackage;
}

/** By the Welcome that somebody sent who added us; credentials aside (roster.ts). @throws GroupError */
export async function enterByWelcome(
  groupInfo: GroupInfo,
  tree: RatchetTree,
  welcome: Welcome,
  { keyPackage, keys }: OfferedKeys,
  clientConfig: ClientState['clientConfig'],
): Promise<NextEpoch> {
  const suite = await suiteImpl();
  const { kdf, hash, hpke } = suite;
  const { groupContext, confirmationTag, signer } = groupInfo;
  if (welcome.cipherSuite !== SUITE) throw new GroupError('not-allowed');
  if (!equalBytes(welcome.encryptedGroupInfo, await hash.digest(encodeGroupInfo(groupInfo)))) {
    throw new GroupError('bad-signature');
  }
  await checkTree(tree, groupContext);
  if (!(await verifyGroupInfoSignature(groupInfo, leafAt(tree, signer).signaturePublicKey, suite.signature))) {
    throw new GroupError('bad-signature');
  }
  const at = leafNodeOf(tree, keyPackage);
  const ref = await makeKeyPackageRef(keyPackage, hash);
  if (!welcome.secrets.some(({ newMember }) => equalBytes(newMember, ref))) throw new GroupError('unknown-member');
  const initKey = await hpke.importPrivateKey(keys.initPrivateKey);
  const secrets = await decryptGroupSecrets(initKey, ref, welcome, hpke);
  if (secrets?.pathSecret === undefined || secrets.psks.length > 0) throw new GroupError('not-allowed');
  const { joinerSecret, pathSecret } = secrets;
  const shared = firstCommonAncestor(tree, nodeToLeafIndex(at), toLeafIndex(signer));
  const privateKeys = { ...(await openedPath(tree, shared, pathSecret)), [at]: keys.hpkePrivateKey.slice() };
  const noPsk = new Uint8Array(kdf.size);
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(joinerSecret, noPsk, groupContext, kdf);
  wipe([joinerSecret, pathSecret]);
  const { confirmedTranscriptHash } = groupContext;
  if (!(await verifyConfirmationTag(keySchedule.confirmationKey, confirmationTag, confirmedTranscriptHash, hash))) {
    throw new GroupError('bad-signature');
  }
  const mls: ClientState = {
    groupContext,
    keySchedule,
    ratchetTree: tree,
    privatePath: { leafIndex: nodeToLeafIndex(at), privateKeys },
    secretTree: [],
    historicalReceiverData: new Map(),
    unappliedProposals: {},
    groupActiveState: { kind: 'active' },
    confirmationTag,
    signaturePrivateKey: keys.signaturePrivateKey,
    clientConfig,
  };
  return { mls, encryptionSecret };
}

/** Ours, to the byte. @throws GroupError `unknown-member` */
function leafNodeOf(tree: RatchetTree, { leafNode }: KeyPackage): NodeIndex {
  const own = encodeLeafNode(leafNode);
  const at = tree.findIndex(
    (node) =>
      node?.nodeType === 'leaf' &&
      equalBytes(node.leaf.hpkePublicKey, leafNode.hpkePublicKey) &&
      equalBytes(encodeLeafNode(node.leaf), own),
  );
  if (at === -1) throw new GroupError('unknown-member');
  return toNodeIndex(at);
}

/** The keys from a node up to the root. @throws GroupError `bad-signature` when they are not those of the tree */
async function openedPath(
  tree: RatchetTree,
  from: NodeIndex,
  pathSecret: Uint8Array,
): Promise<Record<number, Uint8Array>> {
  const { kdf } = await suiteImpl();
  const secrets = Object.entries(await pathToRoot(tree, from, pathSecret, kdf));
  const keys = secrets.map(async ([node, secret]) => {
    const key = await nodeKeyOf(secret);
    const told = tree[Number(node)];
    if (told === undefined || !equalBytes(keyOf(told), await publicKeyOf(key))) throw new GroupError('bad-signature');
    return [Number(node), key] as const;
  });
  return Object.fromEntries(await Promise.all(keys));
}
