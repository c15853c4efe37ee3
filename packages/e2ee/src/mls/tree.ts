/**
 * Hashes and checks of a ratchet tree (RFC 9420 §7.8, §7.9, §12.4.3.3). A Commit changes one path; all other nodes stay the values
 * that they were. Hashes and encodings are remembered by node, so that an Epoch costs some log n hashes where the library
 * takes 3 n, and n² for the parent hashes of somebody who enters (ADR 0027).
 *
 * For trees without unmerged leaves only. A Commit that would leave one is none of ours (additions.ts), so there are none.
 */
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { encode } from 'ts-mls/codec/tlsEncoder.js';
import { varLenDataEncoder } from 'ts-mls/codec/variableLength.js';
import { extensionsSupportedByCapabilities } from 'ts-mls/extension.js';
import type { GroupContext } from 'ts-mls/groupContext.js';
import type { KeyPackage } from 'ts-mls/keyPackage.js';
import { verifyLeafNodeSignature, verifyLeafNodeSignatureKeyPackage, type LeafNode } from 'ts-mls/leafNode.js';
import { encodeParentHashInput } from 'ts-mls/parentHash.js';
import { encodeNode, stripBlankNodes, type Node, type RatchetTree } from 'ts-mls/ratchetTree.js';
import { encodeLeafNodeHashInput, encodeParentNodeHashInput } from 'ts-mls/treeHash.js';
import {
  directPath,
  isLeaf,
  leafToNodeIndex,
  leafWidth,
  left,
  nodeToLeafIndex,
  right,
  rootFromNodeWidth,
  toLeafIndex,
  toNodeIndex,
  type NodeIndex,
} from 'ts-mls/treemath.js';
import type { UpdatePath } from 'ts-mls/updatePath.js';
import { concatBytes, equalBytes } from '../bytes.ts';
import { GroupError } from '../group.ts';
import { suiteImpl } from '../suite.ts';

/** Of a tree with 256 leaves; a Room holds fewer Peers than half of that. */
const NODES_MAX = 511;
const NOTHING = new Uint8Array(0);
const BLANK = Uint8Array.of(0);
const PRESENT = Uint8Array.of(1);

/** A node's hash, and what it was made of beside the node: the same object again means the same hash. */
interface Hashed {
  readonly at: NodeIndex;
  readonly left: Uint8Array;
  readonly right: Uint8Array;
  readonly hash: Uint8Array;
}
const hashes = new WeakMap<Node, Hashed>();
/** Of blank nodes, by where they are: those of a subtree in which nobody sits are the same in every tree. */
const blanks: (Hashed | undefined)[] = [];
const encodings = new WeakMap<Node, Uint8Array>();

/** Of the subtree at a node, or of all. Not to be written to: it is remembered. */
export function treeHash(tree: RatchetTree, at: NodeIndex = rootFromNodeWidth(tree.length)): Uint8Array {
  const node = tree[at];
  if (isLeaf(at)) return hashOf(node, at, NOTHING, NOTHING);
  return hashOf(node, at, treeHash(tree, left(at)), treeHash(tree, right(at)));
}

function hashOf(node: Node | undefined, at: NodeIndex, leftHash: Uint8Array, rightHash: Uint8Array): Uint8Array {
  const known = node === undefined ? blanks[at] : hashes.get(node);
  if (known?.at === at && known.left === leftHash && known.right === rightHash) return known.hash;
  const hash = sha512(
    isLeaf(at)
      ? encodeLeafNodeHashInput({
          nodeType: 'leaf',
          leafIndex: nodeToLeafIndex(at),
          leafNode: node?.nodeType === 'leaf' ? node.leaf : undefined,
        })
      : encodeParentNodeHashInput({
          nodeType: 'parent',
          parentNode: node?.nodeType === 'parent' ? node.parent : undefined,
          leftHash,
          rightHash,
        }),
  );
  const hashed = { at, left: leftHash, right: rightHash, hash };
  if (node !== undefined) hashes.set(node, hashed);
  else if (at < NODES_MAX) blanks[at] = hashed;
  return hash;
}

/** What a node says of the parent above it (§7.9); empty when there is none that is not blank. */
export function parentHash(tree: RatchetTree, at: NodeIndex): Uint8Array {
  const above = parentAbove(tree, at);
  const node = above === undefined ? undefined : tree[above];
  if (above === undefined || node?.nodeType !== 'parent') return NOTHING;
  const { hpkePublicKey, parentHash: ofParent } = node.parent;
  const originalSiblingTreeHash = treeHash(tree, at < above ? right(above) : left(above));
  return sha512(encodeParentHashInput({ encryptionKey: hpkePublicKey, parentHash: ofParent, originalSiblingTreeHash }));
}

function parentAbove(tree: RatchetTree, at: NodeIndex): NodeIndex | undefined {
  return directPath(at, leafWidth(tree.length)).find((node) => tree[node] !== undefined);
}

/** The content of the extension `ratchet_tree` (§12.4.3.3). */
export function encodeTree(tree: RatchetTree): Uint8Array {
  const parts = stripBlankNodes(tree).flatMap((node) => (node === undefined ? [BLANK] : [PRESENT, encodedNode(node)]));
  return encode(varLenDataEncoder)(concatBytes(...parts));
}

function encodedNode(node: Node): Uint8Array {
  const bytes = encodings.get(node) ?? encodeNode(node);
  encodings.set(node, bytes);
  return bytes;
}

/**
 * What somebody who enters must know of a tree before it builds on it, credentials aside (§12.4.3.1). @throws GroupError
 * `not-allowed` for one that no group of ours can have, `bad-signature` where a hash or signature is not right
 */
export async function checkTree(tree: RatchetTree, { groupId, treeHash: expected }: GroupContext): Promise<void> {
  if (tree.length > NODES_MAX) throw new GroupError('not-allowed');
  const keys = new Set<string>();
  const leaves: [NodeIndex, LeafNode][] = [];
  for (const [index, node] of tree.entries()) {
    if (node === undefined) continue;
    const at = toNodeIndex(index);
    if (isLeaf(at) !== (node.nodeType === 'leaf')) throw new GroupError('not-allowed');
    if (node.nodeType === 'parent' && node.parent.unmergedLeaves.length > 0) throw new GroupError('not-allowed');
    const key = nameOf(keyOf(node));
    if (keys.has(key)) throw new GroupError('not-allowed');
    keys.add(key);
    if (node.nodeType === 'leaf') leaves.push([at, node.leaf]);
  }
  if (!equalBytes(treeHash(tree), expected) || !hasParentHashes(tree)) throw new GroupError('bad-signature');
  await Promise.all(leaves.map(([at, leaf]) => checkLeaf(leaf, at, groupId)));
}

/** A leaf as it stands in a tree or comes with a Commit, credential aside. @throws GroupError */
export async function checkLeaf(leaf: LeafNode, at: NodeIndex, groupId: Uint8Array): Promise<void> {
  const { credential, capabilities, extensions, leafNodeSource } = leaf;
  const fits = credential.credentialType === 'basic' && capabilities.credentials.includes('basic');
  // Nobody proposes an update here.
  if (!fits || leafNodeSource === 'update' || !extensionsSupportedByCapabilities(extensions, capabilities)) {
    throw new GroupError('not-allowed');
  }
  const { signature } = await suiteImpl();
  const holds =
    leaf.leafNodeSource === 'key_package'
      ? await verifyLeafNodeSignatureKeyPackage(leaf, signature)
      : await verifyLeafNodeSignature(leaf, groupId, nodeToLeafIndex(at), signature);
  if (!holds) throw new GroupError('bad-signature');
}

/** Each parent is vouched for by exactly one of the nodes right below it (§7.9.2). */
function hasParentHashes(tree: RatchetTree): boolean {
  const vouched = new Map<NodeIndex, number>();
  for (const [index, node] of tree.entries()) {
    const said = node?.nodeType === 'parent' ? node.parent.parentHash : saidByLeaf(node?.leaf);
    const above = said && parentAbove(tree, toNodeIndex(index));
    if (above === undefined || !said || !equalBytes(said, parentHash(tree, toNodeIndex(index)))) continue;
    vouched.set(above, (vouched.get(above) ?? 0) + 1);
  }
  return tree.every((node, index) => node?.nodeType !== 'parent' || vouched.get(toNodeIndex(index)) === 1);
}

function saidByLeaf(leaf: LeafNode | undefined): Uint8Array | undefined {
  return leaf?.leafNodeSource === 'commit' ? leaf.parentHash : undefined;
}

/** @throws GroupError `not-allowed` when a Commit brings a key that is in the tree already, or the same key twice */
export function checkNewKeys(
  tree: RatchetTree,
  { leafNode, nodes }: UpdatePath,
  added: readonly KeyPackage[] = [],
): void {
  const keys = new Set(tree.flatMap((node) => (node === undefined ? [] : [nameOf(keyOf(node))])));
  const inits = added.map(({ initKey }) => initKey);
  const leaves = [leafNode, ...nodes, ...added.map((one) => one.leafNode)];
  for (const one of [...leaves.map(({ hpkePublicKey }) => hpkePublicKey), ...inits]) {
    const key = nameOf(one);
    if (keys.has(key)) throw new GroupError('not-allowed');
    keys.add(key);
  }
}

/** @throws GroupError `unknown-member` */
export function leafAt(tree: RatchetTree, leaf: number): LeafNode {
  const node = tree[leafToNodeIndex(toLeafIndex(leaf))];
  if (node?.nodeType !== 'leaf') throw new GroupError('unknown-member');
  return node.leaf;
}

export function keyOf(node: Node): Uint8Array {
  return node.nodeType === 'leaf' ? node.leaf.hpkePublicKey : node.parent.hpkePublicKey;
}

/** Two keys that begin alike are no accident: they count as one. */
function nameOf(key: Uint8Array): string {
  return bytesToHex(key.subarray(0, 32));
}
