/**
 * The secret tree of an Epoch (RFC 9420 §9), opened leaf by leaf when somebody speaks: most members say nothing in most Epochs, and
 * in a crowd nobody does. The library derives all of it, some 6 n HMACs an Epoch (ADR 0027).
 */
import { deriveSecret, expandWithLabel } from 'ts-mls/crypto/kdf.js';
import type { GenerationSecret, SecretTree } from 'ts-mls/secretTree.js';
import { directPath, leafToNodeIndex, leafWidth, left, right, root, toLeafIndex } from 'ts-mls/treemath.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { wipe } from '../bytes.ts';
import { GroupError } from '../group.ts';
import { suiteImpl } from '../suite.ts';

const LEFT = utf8ToBytes('left');
const RIGHT = utf8ToBytes('right');

export interface LeafSecrets {
  /** Ratchets of those leaves that were opened, in the library's form; everything else is a hole. */
  readonly tree: SecretTree;
  /** By node: the secret of a subtree of which no leaf was opened. Gone as soon as one is. */
  readonly unopened: ReadonlyMap<number, Uint8Array>;
}

export function leafSecrets(nodes: number, encryptionSecret: Uint8Array): LeafSecrets {
  const tree: SecretTree = [];
  tree.length = nodes;
  return { tree, unopened: new Map([[root(leafWidth(nodes)), encryptionSecret]]) };
}

/** The same with this leaf opened. @throws GroupError `unknown-member` for a leaf outside of the tree */
export async function withLeaf(secrets: LeafSecrets, leaf: number): Promise<LeafSecrets> {
  const at = leafToNodeIndex(toLeafIndex(leaf));
  if (secrets.tree[at] !== undefined) return secrets;
  if (at >= secrets.tree.length) throw new GroupError('unknown-member');
  const { kdf } = await suiteImpl();
  const unopened = new Map(secrets.unopened);
  const take = (node: number): Uint8Array => {
    const secret = unopened.get(node);
    if (secret === undefined) throw new GroupError('library');
    unopened.delete(node);
    return secret;
  };
  const way = [at, ...directPath(at, leafWidth(secrets.tree.length))];
  const first = way.findIndex((node) => unopened.has(node));
  for (const node of way.slice(1, first + 1).toReversed()) {
    const secret = take(node);
    unopened.set(left(node), await expandWithLabel(secret, 'tree', LEFT, kdf.size, kdf));
    unopened.set(right(node), await expandWithLabel(secret, 'tree', RIGHT, kdf.size, kdf));
  }
  const secret = take(at);
  const tree = secrets.tree.slice();
  tree[at] = {
    handshake: ratchetOf(await deriveSecret(secret, 'handshake', kdf)),
    application: ratchetOf(await deriveSecret(secret, 'application', kdf)),
  };
  return { tree, unopened };
}

/** What `after` was derived from and does without. */
export function spentOn(after: LeafSecrets, before: LeafSecrets): Uint8Array[] {
  return [...before.unopened].flatMap(([node, secret]) => (after.unopened.has(node) ? [] : [secret]));
}

/** Of an Epoch that nobody reads any more. Copies of this value share what is wiped. */
export function wipeLeafSecrets({ tree, unopened }: LeafSecrets): void {
  wipe([...unopened.values()]);
  // Holes are passed over.
  tree.forEach(({ handshake, application }) => {
    for (const { secret, unusedGenerations } of [handshake, application]) {
      wipe([secret, ...Object.values(unusedGenerations)]);
    }
  });
}

function ratchetOf(secret: Uint8Array): GenerationSecret {
  return { secret, generation: 0, unusedGenerations: {} };
}
