/**
 * Letting people in, many by one Commit: the KeyPackage that somebody at the door offers, the Commit of the member who takes them in,
 * and the Welcome by which they enter (ADR 0040). Who may do it is judged in commit-rules.ts and mls/additions.ts.
 */
import type { PeerId } from '@veilcast/protocol';
import { generateKeyPackageWithKey, type KeyPackage } from 'ts-mls/keyPackage.js';
import { defaultLifetime } from 'ts-mls/lifetime.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import type { Welcome } from 'ts-mls/welcome.js';
import { wipe } from './bytes.ts';
import { judgeCommit, type JudgedCommit } from './commit-rules.ts';
import { CONFIG, heldOf, opened, templateOf } from './epochs.ts';
import { guard } from './errors.ts';
import { decodeMessage } from './framing.ts';
import {
  GroupError,
  type GroupSelf,
  type GroupState,
  type Offer,
  type PendingCommit,
  type ValidateCredential,
} from './group.ts';
import { encodeInfo, makeGroupInfo, readGroupInfo } from './group-info.ts';
import { checkKeyPackage, enterByWelcome, makeWelcome, type OfferedKeys } from './mls/additions.ts';
import { commitAdds } from './mls/commit.ts';
import { checkNewKeys } from './mls/tree.ts';
import { keyEncapsulation } from './pq/index.ts';
import { type Roster, type RosterEntry, rosterOf, validated } from './roster.ts';
import { hold, liveContentOf } from './state.ts';
import { suiteImpl } from './suite.ts';

/** Beside the values, as the states are (state.ts). */
const offered = new WeakMap<Offer, OfferedKeys>();

export async function offer(self: GroupSelf): Promise<Offer> {
  return offerOf(await newKeyPackage(self));
}

export async function newKeyPackage(self: GroupSelf): Promise<OfferedKeys> {
  const { credential, capabilities } = templateOf(self);
  const key = { signKey: self.leafKey.secretKey, publicKey: self.leafKey.publicKey };
  const suite = await suiteImpl();
  const made = await generateKeyPackageWithKey(credential, capabilities, defaultLifetime, [], key, suite);
  return { keyPackage: made.publicPackage, keys: made.privatePackage };
}

export function offerOf(ours: OfferedKeys): Offer {
  const message = { version: 'mls10', wireformat: 'mls_key_package', keyPackage: ours.keyPackage } as const;
  const value: Offer = Object.freeze({ keyPackage: encodeMlsMessage(message), brand: 'Offer' });
  offered.set(value, ours);
  return value;
}

/** See GroupLibrary.withdraw. The signature key is the Peer's own and stays. */
export function withdraw(value: Offer): void {
  const keys = offered.get(value)?.keys;
  offered.delete(value);
  if (keys) wipe([keys.initPrivateKey, keys.hpkePrivateKey]);
}

export async function commitAdmission(state: GroupState, packages: readonly Uint8Array[]): Promise<PendingCommit> {
  const content = liveContentOf(state);
  const { mls, roster, validate } = content;
  const { keyPackages, newcomers } = await takeable(packages, roster, validate);
  if (keyPackages.length === 0) throw new GroupError('bad-credential');
  const made = await guard(() => commitAdds(mls, keyPackages));
  const { commit: publicMessage, leaves, joinerSecret } = made;
  const message = { version: 'mls10', wireformat: 'mls_public_message', publicMessage } as const;
  // What others would refuse must not leave us.
  const { path, adds } = judgeCommit(message, { ...mls.groupContext, roster });
  checkNewKeys(mls.ratchetTree, path, adds);
  const groupInfo = await makeGroupInfo(made.mls);
  const welcome = await guard(() => makeWelcome(groupInfo, made.mls.ratchetTree, keyPackages, leaves, made));
  wipe([joinerSecret]);
  const seated = newcomers.map((entry, n) => [(leaves[n] ?? 0) / 2, entry] as const);
  const next = new Map([...roster, ...seated].toSorted(([a], [b]) => a - b));
  return {
    next: hold(state.roomId, state.self, heldOf(opened(made), validate, next, content)),
    commit: encodeMlsMessage(message),
    groupInfo: encodeInfo(groupInfo),
    removes: [],
    adds: newcomers.map(({ peerId }) => peerId),
    welcome: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome }),
  };
}

export async function joinByWelcome(
  self: GroupSelf,
  value: Offer,
  told: { readonly groupInfo: Uint8Array; readonly welcome: Uint8Array },
): Promise<GroupState> {
  const ours = offered.get(value);
  if (ours === undefined) throw new GroupError('library');
  const welcome = welcomeOf(told.welcome);
  const { groupInfo, tree } = readGroupInfo(told.groupInfo, self.roomId);
  const roster = await rosterOf(tree, self.validate);
  const entered = await guard(() => enterByWelcome(groupInfo, tree, welcome, ours, CONFIG));
  const { leafIndex } = entered.mls.privatePath;
  if (roster.get(leafIndex)?.peerId !== self.peerId) throw new GroupError('bad-credential');
  return hold(self.roomId, self.peerId, heldOf(opened(entered), self.validate, roster));
}

/** Who is added, in their order: each a Peer with a credential that holds, and nobody who is here. @throws GroupError `bad-credential` */
export async function newcomersOf(
  { adds }: Pick<JudgedCommit, 'adds'>,
  roster: Roster,
  validate: ValidateCredential,
): Promise<readonly RosterEntry[]> {
  const peers = new Set<PeerId>([...roster.values()].map(({ peerId }) => peerId));
  const keys = new Set([...roster.values()].map(({ leafKey }) => leafKey));
  const entries = await Promise.all(
    adds.map(({ leafNode }) => validated(leafNode.credential, leafNode.signaturePublicKey, validate)),
  );
  for (const { peerId, leafKey } of entries) {
    if (peers.has(peerId) || keys.has(leafKey)) throw new GroupError('bad-credential');
    peers.add(peerId);
    keys.add(leafKey);
  }
  return entries;
}

/** Those whom everybody will take: one that is not right keeps nobody else out. */
async function takeable(
  packages: readonly Uint8Array[],
  roster: Roster,
  validate: ValidateCredential,
): Promise<{ readonly keyPackages: readonly KeyPackage[]; readonly newcomers: readonly RosterEntry[] }> {
  const keyPackages: KeyPackage[] = [];
  let newcomers: readonly RosterEntry[] = [];
  for (const bytes of packages) {
    const message = decodeMessage(bytes);
    if (message?.wireformat !== 'mls_key_package') continue;
    const { keyPackage } = message;
    try {
      await checkKeyPackage(keyPackage);
      await Promise.all(
        [keyPackage.initKey, keyPackage.leafNode.hpkePublicKey].map((key) => keyEncapsulation.encapsulate(key)),
      );
      // Those before were looked at already.
      const sitting = new Map([...roster, ...newcomers.map((entry, n) => [-1 - n, entry] as const)]);
      newcomers = [...newcomers, ...(await newcomersOf({ adds: [keyPackage] }, sitting, validate))];
      keyPackages.push(keyPackage);
    } catch (thrown) {
      if (!(thrown instanceof GroupError || thrown instanceof RangeError)) throw thrown;
    }
  }
  return { keyPackages, newcomers };
}

/** @throws GroupError `undecodable` */
function welcomeOf(bytes: Uint8Array): Welcome {
  const message = decodeMessage(bytes);
  if (message?.wireformat !== 'mls_welcome') throw new GroupError('undecodable');
  return message.welcome;
}
