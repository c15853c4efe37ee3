/**
 * The update path of a Commit (RFC 9420 §7.4 to §7.6): made by who commits or enters, taken by everybody else. The same bytes and
 * secrets as the library's own; it hashes what changed and derives no public key that nobody looks at (ADR 0027).
 */
import { applyUpdatePathSecret } from 'ts-mls/createCommit.js';
import { encryptWithLabel } from 'ts-mls/crypto/hpke.js';
import { deriveSecret } from 'ts-mls/crypto/kdf.js';
import { encodeGroupContext, type GroupContext } from 'ts-mls/groupContext.js';
import { type LeafNodeData, signLeafNodeCommit } from 'ts-mls/leafNode.js';
import { getCommitSecret, pathToRoot } from 'ts-mls/pathSecrets.js';
import type { PrivateKeyPath } from 'ts-mls/privateKeyPath.js';
import { filteredDirectPathAndCopathResolution, type RatchetTree } from 'ts-mls/ratchetTree.js';
import {
  directPath,
  leafToNodeIndex,
  leafWidth,
  root,
  toLeafIndex,
  toNodeIndex,
  type NodeIndex,
} from 'ts-mls/treemath.js';
import type { UpdatePath, UpdatePathNode } from 'ts-mls/updatePath.js';
import { equalBytes } from '../bytes.ts';
import { GroupError } from '../group.ts';
import { suiteImpl } from '../suite.ts';
import { publicKeyOf, secretKeyOf } from '../xwing.ts';
import { keyOf, parentHash, treeHash } from './tree.ts';

const NOTHING = new Uint8Array(0);

/** What a new path leads to. */
export interface Renewed {
  readonly tree: RatchetTree;
  readonly privatePath: PrivateKeyPath;
  readonly commitSecret: Uint8Array;
}

/** Who a leaf is and what it can do: that a path does not change. */
export type LeafTemplate = Omit<LeafNodeData, 'hpkePublicKey'>;

/**
 * Renews a leaf, which must be in the tree, and all above it. `added`: those who come with this Commit and have the secrets of the path
 * from their Welcome.
 */
export async function makePath(
  tree: RatchetTree,
  leaf: number,
  template: LeafTemplate,
  context: GroupContext,
  signaturePrivateKey: Uint8Array,
  added: readonly NodeIndex[] = [],
): Promise<Renewed & { readonly path: UpdatePath; readonly pathSecrets: ReadonlyMap<number, Uint8Array> }> {
  const { kdf, hpke, rng, signature } = await suiteImpl();
  const at = leafToNodeIndex(toLeafIndex(leaf));
  let secret = rng.randomBytes(kdf.size);
  const privateKeys: Record<number, Uint8Array> = { [at]: await nodeKeyOf(secret) };
  const steps: { nodeIndex: NodeIndex; secret: Uint8Array; sendTo: readonly NodeIndex[] }[] = [];
  for (const { nodeIndex, resolution } of filteredDirectPathAndCopathResolution(toLeafIndex(leaf), tree)) {
    secret = await deriveSecret(secret, 'path', kdf);
    privateKeys[nodeIndex] = await nodeKeyOf(secret);
    steps.push({ nodeIndex, secret, sendTo: resolution.filter((node) => !added.includes(node)) });
  }
  const publicKeys = new Map(
    await Promise.all(
      Object.entries(privateKeys).map(async ([node, key]) => [Number(node), await publicKeyOf(key)] as const),
    ),
  );
  const publicKey = (node: NodeIndex): Uint8Array => publicKeys.get(node) ?? NOTHING;
  const next = renewed(
    tree,
    at,
    steps.map(({ nodeIndex }) => [nodeIndex, publicKey(nodeIndex)]),
  );
  const unsigned = {
    ...template,
    leafNodeSource: 'commit' as const,
    hpkePublicKey: publicKey(at),
    extensions: [],
    parentHash: parentHash(next, at),
    groupId: context.groupId,
    leafIndex: leaf,
  };
  const leafNode = await signLeafNodeCommit(unsigned, signaturePrivateKey, signature);
  next[at] = { nodeType: 'leaf', leaf: leafNode };
  const info = encodeGroupContext({ ...context, treeHash: treeHash(next), epoch: context.epoch + 1n });
  const sealed = async (node: NodeIndex, pathSecret: Uint8Array): Promise<UpdatePathNode['encryptedPathSecret'][0]> => {
    const to = await hpke.importPublicKey(keyAt(tree, node));
    const { ct, enc } = await encryptWithLabel(to, 'UpdatePathNode', info, pathSecret, hpke);
    return { ciphertext: ct, kemOutput: enc };
  };
  const nodes = await Promise.all(
    steps.map(async (step) => ({
      hpkePublicKey: publicKey(step.nodeIndex),
      encryptedPathSecret: await Promise.all(step.sendTo.map((node) => sealed(node, step.secret))),
    })),
  );
  const top = steps.at(-1);
  const commitSecret = top ? await getCommitSecret(next, top.nodeIndex, top.secret, kdf) : new Uint8Array(kdf.size);
  const pathSecrets = new Map(steps.map((step) => [step.nodeIndex, step.secret]));
  const privatePath = { leafIndex: leaf, privateKeys };
  return { tree: next, path: { leafNode, nodes }, privatePath, commitSecret, pathSecrets };
}

/**
 * The tree with somebody's path in it. `before` has the leaf in it, as it was or as it comes. @throws GroupError `bad-signature` for
 * a path that does not fit the tree
 */
export function applyPath(before: RatchetTree, leaf: number, { leafNode, nodes }: UpdatePath): RatchetTree {
  const at = leafToNodeIndex(toLeafIndex(leaf));
  const steps = filteredDirectPathAndCopathResolution(toLeafIndex(leaf), before);
  if (steps.length !== nodes.length) throw new GroupError('bad-signature');
  const next = renewed(
    before,
    at,
    steps.map(({ nodeIndex }, level) => [nodeIndex, nodes[level]?.hpkePublicKey ?? NOTHING]),
  );
  if (!equalBytes(leafNode.parentHash, parentHash(next, at))) throw new GroupError('bad-signature');
  next[at] = { nodeType: 'leaf', leaf: leafNode };
  return next;
}

/** The part of somebody's path that is meant for us. `tree` has the path in it. */
export async function openPath(
  tree: RatchetTree,
  ours: PrivateKeyPath,
  sender: number,
  path: UpdatePath,
  context: GroupContext,
  added: readonly NodeIndex[],
): Promise<Renewed> {
  const suite = await suiteImpl();
  const { kdf } = suite;
  const provisional = { ...context, treeHash: treeHash(tree), epoch: context.epoch + 1n };
  const from = toLeafIndex(sender);
  const opened = await applyUpdatePathSecret(tree, ours, from, provisional, path, [...added], suite);
  const secrets = await pathToRoot(tree, toNodeIndex(opened.nodeIndex), opened.pathSecret, kdf);
  const privateKeys: Record<number, Uint8Array> = {};
  const at = leafToNodeIndex(toLeafIndex(ours.leafIndex));
  for (const node of [at, ...directPath(at, leafWidth(tree.length))]) {
    const secret = secrets[node];
    const key = secret === undefined ? ours.privateKeys[node] : await nodeKeyOf(secret);
    // A node that was blanked has no key any more, whatever we once knew.
    if (key !== undefined && tree[node] !== undefined) privateKeys[node] = key;
  }
  const top = secrets[root(leafWidth(tree.length))];
  if (top === undefined) throw new GroupError('library');
  return {
    tree,
    privatePath: { leafIndex: ours.leafIndex, privateKeys },
    commitSecret: await deriveSecret(top, 'path', kdf),
  };
}

/** A copy in which the path above a leaf is blank but for these keys, each with the hash of what is above it. */
function renewed(tree: RatchetTree, at: NodeIndex, keys: readonly (readonly [NodeIndex, Uint8Array])[]): RatchetTree {
  const next = tree.slice();
  for (const node of directPath(at, leafWidth(tree.length))) next[node] = undefined;
  // From the root down: the hash of each covers the one above.
  for (const [node, hpkePublicKey] of keys.toReversed()) {
    const parent = { hpkePublicKey, parentHash: parentHash(next, node), unmergedLeaves: [] };
    next[node] = { nodeType: 'parent', parent };
  }
  return next;
}

export async function nodeKeyOf(pathSecret: Uint8Array): Promise<Uint8Array> {
  const { kdf } = await suiteImpl();
  return secretKeyOf(await deriveSecret(pathSecret, 'node', kdf));
}

/** @throws GroupError */
function keyAt(tree: RatchetTree, node: NodeIndex): Uint8Array {
  const found = tree[node];
  if (found === undefined) throw new GroupError('library');
  return keyOf(found);
}
