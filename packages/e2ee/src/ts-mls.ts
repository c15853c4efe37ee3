/**
 * The GroupLibrary on ts-mls 1.6.4 (ADR 0006). Its traps are dealt with here and in mls/, and nowhere else: every leaf is validated by
 * us, one former Epoch is retained and never none, secrets are wiped only after a Commit was accepted, and rules that it does
 * not check itself are checked before it is asked. Commits are put together of its parts in mls/ (ADR 0027).
 */
import type { PeerId } from '@veilcast/protocol';
import { createGroup } from 'ts-mls/clientState.js';
import { generateKeyPackageWithKey } from 'ts-mls/keyPackage.js';
import { mlsExporter } from 'ts-mls/keySchedule.js';
import { defaultLifetime } from 'ts-mls/lifetime.js';
import { encodeMlsMessage, type MLSMessage } from 'ts-mls/message.js';
import type { PublicMessage } from 'ts-mls/publicMessage.js';
import { commitAdmission, joinByWelcome, newcomersOf, offer, withdraw } from './admission.ts';
import { judgeCommit, type JudgedCommit } from './commit-rules.ts';
import { CONFIG, heldOf, opened, templateOf } from './epochs.ts';
import { guard } from './errors.ts';
import { decodeMessage, newGroupId } from './framing.ts';
import {
  type AppliedCommit,
  type EpochKeys,
  GroupError,
  type GroupLibrary,
  type GroupSelf,
  type GroupState,
  type LeafKey,
  type PendingCommit,
} from './group.ts';
import { groupInfoOf, readGroupInfo } from './group-info.ts';
import { openMessage, sealMessage } from './messages.ts';
import { commitRemoves, enter, takeCommit } from './mls/commit.ts';
import { checkNewKeys } from './mls/tree.ts';
import { isSame, leafOf, membersOf, type Roster, type RosterEntry, rosterOf, validated } from './roster.ts';
import { adopt, discard, type Held, hold, liveContentOf } from './state.ts';
import { suiteImpl } from './suite.ts';

/** Of RFC 9605 §5.2; long enough to be a base key of SHA-512. */
const BASE_KEY_LABEL = 'SFrame 1.0 Base Key';
const BASE_KEY_BYTES = 64;
const NOTHING = new Uint8Array(0);
const NOBODY_ADMITTED = { adds: [], welcome: undefined } as const;

/** The library in the form that Veilcast uses. It holds nothing: every state is in the values it gives out. */
export function tsMlsLibrary(): GroupLibrary {
  return {
    generateLeafKey,
    createGroup: newGroup,
    joinGroup,
    commitRemoval,
    applyCommit,
    offer,
    withdraw,
    commitAdmission,
    joinByWelcome,
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
  const { groupInfo, tree } = readGroupInfo(bytes, self.roomId);
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
    ...NOBODY_ADMITTED,
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
    ...NOBODY_ADMITTED,
  };
}

async function applyCommit(state: GroupState, bytes: Uint8Array): Promise<AppliedCommit> {
  const content = liveContentOf(state);
  const { mls, roster, validate } = content;
  const commit = judgeCommit(decodeMessage(bytes), { ...mls.groupContext, roster });
  const by = await judgeCommitter(commit, content);
  const external = commit.sender === undefined;
  const newcomers = await newcomersOf(commit, roster, validate);
  const removed = commit.removes.flatMap((leaf) => roster.get(leaf)?.peerId ?? []);
  const taken = await guard(() => takeCommit(mls, commit));
  if (taken === undefined) {
    const out = hold(state.roomId, state.self, { ...content, removed: true });
    return { next: out, by: by.peerId, external, added: [], removed };
  }
  const rest = [...roster].filter(([leaf]) => !commit.removes.includes(leaf) && leaf !== taken.leaf);
  const seated = newcomers.map((entry, n) => [taken.added[n] ?? -1, entry] as const);
  const now = new Map([...rest, [taken.leaf, by] as const, ...seated].toSorted(([a], [b]) => a - b));
  return {
    next: hold(state.roomId, state.self, heldOf(opened(taken), validate, now, content, [taken.spent])),
    by: by.peerId,
    external,
    added: [by, ...newcomers].flatMap(({ peerId }) => (hasEntry(roster, peerId) ? [] : [peerId])),
    removed: removed.filter((peerId) => !hasEntry(now, peerId)),
  };
}

/** Who commits: a member as itself, or a newcomer whose Peer and keys are nobody else's. @throws GroupError */
async function judgeCommitter(
  { path, sender, removes, adds }: JudgedCommit,
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
  checkNewKeys(mls.ratchetTree, path, adds);
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

function asMessage(publicMessage: PublicMessage): MLSMessage {
  return { version: 'mls10', wireformat: 'mls_public_message', publicMessage };
}

function hasEntry(roster: Roster, peerId: PeerId): boolean {
  return leafOf(roster, peerId) !== undefined;
}
