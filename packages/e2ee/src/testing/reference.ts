/**
 * A GroupLibrary that is honest about secrets and costs nothing: an Epoch's secret comes out of the one before and of the
 * Commit's, which lies in one box for each leaf that stays. Same interface, same refusals for the same reasons as the
 * library on ts-mls (reference.test.ts runs the same histories through both). Stricter in one thing: a state that was
 * discarded, or replaced by a later Epoch, throws when it is used.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ADMITTED_MAX, type PeerId } from '@veilcast/protocol';
import {
  type AppliedCommit,
  type EpochKeys,
  GroupError,
  type GroupLibrary,
  type GroupSelf,
  type GroupState,
  type PendingCommit,
} from '../group.ts';
import { derive, type IdealWorld, publicOf, sign } from './ideal.ts';
import { type Leaves, type ReferenceHeld, referenceMessages, secretOf } from './reference-messages.ts';
import { judgeNewcomers, referenceAdmission } from './reference-admission.ts';
import {
  baseKeyOf,
  type Commit,
  contentOf,
  decode,
  encode,
  externalPublicOf,
  type KeyPackage,
  nextSecret,
  secretFor,
  transcriptOf,
} from './reference-model.ts';
import { blankOf, epochOf, isDoorkeeper, isMember, membersOf, withLeaf, withSeated } from './reference-tree.ts';

export type { ReferenceHeld } from './reference-messages.ts';

export interface ReferenceLibrary extends GroupLibrary {
  /** What a state knows, for those who look for leaks. */
  held(state: GroupState): ReferenceHeld;
}

export function referenceLibrary(world: IdealWorld): ReferenceLibrary {
  const contents = new WeakMap<GroupState, ReferenceHeld>();
  const spent = new WeakSet<GroupState>();

  const hold = (held: ReferenceHeld): GroupState => {
    const { roomId, peerId } = held.self;
    const state: GroupState = Object.freeze({ roomId, epoch: held.now.epoch, self: peerId, brand: 'GroupState' });
    contents.set(state, held);
    return state;
  };
  const live = (state: GroupState): ReferenceHeld => {
    const held = contents.get(state);
    if (held === undefined || spent.has(state)) throw new GroupError('library');
    if (held.removed) throw new GroupError('removed');
    return held;
  };
  /** Makes a Commit on an Epoch: a new leaf key, and a box for everybody who stays. */
  const commit = (made: {
    readonly self: GroupSelf;
    readonly group: string;
    readonly epoch: number;
    readonly transcript: string;
    readonly leaves: Leaves;
    readonly ownLeaf: number;
    readonly sender: number | null;
    readonly removes: readonly number[];
    readonly adds?: readonly KeyPackage[];
    readonly init: { readonly secret: string; readonly externalPublic: string | undefined };
    readonly membership: string;
  }): {
    readonly commit: Commit;
    readonly secret: string;
    readonly transcript: string;
    readonly decryption: string;
  } => {
    const commitSecret = world.secret();
    const decryption = world.secret();
    const { self, sender, leaves, ownLeaf, init } = made;
    const leaf = {
      credential: self.credential,
      leafKey: bytesToHex(self.leafKey.publicKey),
      enc: publicOf(decryption),
    };
    const path = Object.fromEntries(
      leaves.flatMap((other, index) =>
        other === null || index === ownLeaf || made.removes.includes(index)
          ? []
          : [[String(index), world.seal(other.enc, commitSecret)]],
      ),
    );
    const unsigned: Commit = {
      kind: 'commit',
      group: made.group,
      room: self.roomId,
      epoch: made.epoch,
      sender,
      init: init.externalPublic === undefined ? null : world.seal(init.externalPublic, init.secret),
      removes: [...made.removes],
      adds: [...(made.adds ?? [])],
      leaf,
      path,
      signature: '',
      membership: '',
      confirmation: '',
    };
    const signed = { ...unsigned, signature: sign(secretOf(self), contentOf(unsigned)) };
    const transcript = transcriptOf(made.transcript, signed);
    const secret = nextSecret(init.secret, commitSecret, transcript);
    const membership = derive(made.membership, contentOf(signed), signed.signature);
    const confirmation = derive(secretFor('confirmation', secret), transcript);
    return { commit: { ...signed, membership, confirmation }, secret, transcript, decryption };
  };

  const createGroup = async (self: GroupSelf): Promise<{ state: GroupState; groupInfo: Uint8Array }> => {
    const decryption = world.secret();
    const leafKey = bytesToHex(self.leafKey.publicKey);
    const leaves: Leaves = [{ credential: self.credential, leafKey, enc: publicOf(decryption) }];
    const secret = world.secret();
    const held: ReferenceHeld = {
      self,
      group: `${self.roomId} ${world.secret()}`,
      now: await epochOf(0, secret, leaves, self.validate),
      former: undefined,
      transcript: '',
      ownLeaf: 0,
      decryption,
      sent: 0,
      removed: false,
    };
    return { state: hold(held), groupInfo: groupInfoOf(held) };
  };

  const joinGroup = async (self: GroupSelf, bytes: Uint8Array): Promise<PendingCommit> => {
    const info = decode(bytes);
    if (info?.kind !== 'groupInfo') throw new GroupError('undecodable');
    if (info.room !== self.roomId) throw new GroupError('wrong-group');
    const members = await membersOf(info.leaves, self.validate);
    const { signature, ...unsigned } = info;
    const signer = info.leaves[info.signer];
    if (!signer || !world.verify(signer.leafKey, JSON.stringify(unsigned), signature)) {
      throw new GroupError('bad-signature');
    }
    const own = members.find(({ peerId }) => peerId === self.peerId)?.leaf;
    // As ts-mls: a tree with nobody in it is none.
    if (own !== undefined && members.length === 1) throw new GroupError('library');
    const removes = own === undefined ? [] : [own];
    const left = info.leaves.map((leaf, index) => (index === own ? null : leaf));
    const ownLeaf = blankOf(left);
    const made = commit({
      ...info,
      self,
      leaves: left,
      ownLeaf,
      sender: null,
      removes,
      init: { secret: world.secret(), externalPublic: info.externalPublic },
      membership: '',
    });
    const leaves = withLeaf(left, ownLeaf, made.commit.leaf);
    const next: ReferenceHeld = {
      self,
      group: info.group,
      now: await epochOf(info.epoch + 1, made.secret, leaves, self.validate),
      former: undefined,
      transcript: made.transcript,
      ownLeaf,
      decryption: made.decryption,
      sent: 0,
      removed: false,
    };
    return pendingOf(next, made.commit, own === undefined ? [] : [self.peerId]);
  };

  const pendingOf = (next: ReferenceHeld, made: Commit, removes: readonly PeerId[]): PendingCommit => ({
    next: hold(next),
    commit: encode(made),
    groupInfo: groupInfoOf(next),
    removes,
    adds: [],
    welcome: undefined,
  });

  /** A Commit of a member, of others who go or come. */
  const commitAs = async (
    held: ReferenceHeld,
    { removes = [], adds = [] }: { readonly removes?: readonly number[]; readonly adds?: readonly KeyPackage[] },
  ): Promise<{ readonly next: ReferenceHeld; readonly made: Commit }> => {
    const { now, self, ownLeaf, transcript, group } = held;
    const made = commit({
      self,
      group,
      epoch: now.epoch,
      transcript,
      leaves: now.leaves,
      ownLeaf,
      sender: ownLeaf,
      removes,
      adds,
      init: { secret: secretFor('init', now.secret), externalPublic: undefined },
      membership: secretFor('membership', now.secret),
    });
    const left = now.leaves.map((leaf, index) => (removes.includes(index) ? null : leaf));
    const leaves = withSeated(withLeaf(left, ownLeaf, made.commit.leaf), adds);
    const next: ReferenceHeld = {
      ...held,
      now: await epochOf(now.epoch + 1, made.secret, leaves, self.validate),
      former: now,
      transcript: made.transcript,
      decryption: made.decryption,
      sent: 0,
    };
    return { next, made: made.commit };
  };

  const commitRemoval = async (state: GroupState, peers: readonly PeerId[]): Promise<PendingCommit> => {
    const held = live(state);
    const { now, self } = held;
    if (peers.includes(self.peerId) || new Set(peers).size !== peers.length) throw new GroupError('not-allowed');
    const removes = peers.map((peer) => {
      const leaf = now.members.find(({ peerId }) => peerId === peer)?.leaf;
      if (leaf === undefined) throw new GroupError('unknown-member');
      return leaf;
    });
    const { next, made } = await commitAs(held, { removes });
    return pendingOf(next, made, peers);
  };

  const applyCommit = async (state: GroupState, bytes: Uint8Array): Promise<AppliedCommit> => {
    const held = live(state);
    const { now, self } = held;
    const message = decode(bytes);
    if (message === undefined) throw new GroupError('undecodable');
    if (message.kind !== 'commit') throw new GroupError('not-allowed');
    const { path, removes, adds, sender, leaf } = message;
    if (message.group !== held.group) throw new GroupError('wrong-group');
    if (message.epoch !== now.epoch) throw new GroupError('wrong-epoch');
    if (path === null) throw new GroupError('no-update-path');
    if (removes.some((index) => !now.leaves[index])) throw new GroupError('unknown-member');
    const by = await judgeCommitter(held, message);
    const newcomers = await judgeNewcomers(world, held, adds);
    const init = secretFor('init', now.secret);
    const membership = secretFor('membership', now.secret);
    const content = contentOf(message);
    if (!world.verify(leaf.leafKey, content, message.signature)) throw new GroupError('bad-signature');
    if (sender !== null && message.membership !== derive(membership, content, message.signature)) {
      throw new GroupError('bad-signature');
    }
    const removed = removes.flatMap((index) => now.members.find((member) => member.leaf === index)?.peerId ?? []);
    const external = sender === null;
    if (removes.includes(held.ownLeaf)) {
      return { next: hold({ ...held, removed: true }), by, external, added: [], removed };
    }
    const box = path[String(held.ownLeaf)];
    const commitSecret = box && world.open(held.decryption, box);
    const given = message.init && world.open(secretFor('external', now.secret), message.init);
    const before = external ? given : init;
    if (commitSecret === undefined || before === undefined || before === null) throw new GroupError('bad-signature');
    const transcript = transcriptOf(held.transcript, message);
    const secret = nextSecret(before, commitSecret, transcript);
    if (message.confirmation !== derive(secretFor('confirmation', secret), transcript)) {
      throw new GroupError('bad-signature');
    }
    const left = now.leaves.map((one, index) => (removes.includes(index) ? null : one));
    const leaves = withSeated(withLeaf(left, sender ?? blankOf(left), leaf), adds);
    const epoch = await epochOf(now.epoch + 1, secret, leaves, self.validate);
    return {
      next: hold({ ...held, now: epoch, former: now, transcript, sent: 0 }),
      by,
      external,
      added: external ? [by].filter((peer) => !isMember(peer, now.members)) : newcomers,
      removed: removed.filter((peerId) => !isMember(peerId, epoch.members)),
    };
  };

  const { seal, open } = referenceMessages(world, hold, live);
  const admission = referenceAdmission(world, { hold, live, commitAs, groupInfoOf });

  const epochKeys = async (state: GroupState): Promise<EpochKeys> => {
    const { now, ownLeaf } = live(state);
    const authenticator = secretFor('authenticator', now.secret);
    return {
      epoch: now.epoch,
      baseKey: hexToBytes(baseKeyOf(now.secret)),
      authenticator: hexToBytes(authenticator),
      selfLeaf: ownLeaf,
      members: [...now.members],
    };
  };

  return {
    async generateLeafKey() {
      const { publicKey, secret } = world.signer();
      return { publicKey: hexToBytes(publicKey), secretKey: hexToBytes(secret) };
    },
    createGroup,
    joinGroup,
    commitRemoval,
    applyCommit,
    ...admission,
    seal,
    open,
    epochKeys,
    adopt(current, next) {
      if (current === next) return next;
      const from = contents.get(current);
      const to = contents.get(next);
      if (!from || !to || spent.has(current) || spent.has(next)) throw new GroupError('library');
      if (from.now.epoch === to.now.epoch) return next;
      spent.add(current);
      return hold({ ...to, former: from.now });
    },
    discard(state) {
      if (!contents.has(state)) throw new GroupError('library');
      spent.add(state);
    },
    held(state) {
      const held = contents.get(state);
      if (held === undefined) throw new GroupError('library');
      return held;
    },
  };
}

function groupInfoOf(held: ReferenceHeld): Uint8Array {
  const { group, now, transcript, ownLeaf, self } = held;
  const unsigned = {
    kind: 'groupInfo' as const,
    group,
    room: self.roomId,
    epoch: now.epoch,
    leaves: [...now.leaves],
    transcript,
    externalPublic: externalPublicOf(now.secret),
    signer: ownLeaf,
  };
  return encode({ ...unsigned, signature: sign(secretOf(self), JSON.stringify(unsigned)) });
}

async function judgeCommitter({ now, ownLeaf, self }: ReferenceHeld, message: Commit): Promise<PeerId> {
  const { sender, removes, leaf } = message;
  if (sender !== null) {
    const member = now.members.find((one) => one.leaf === sender);
    const seat = now.leaves[sender];
    if (!member || !seat) throw new GroupError('unknown-member');
    const once = new Set(removes).size === removes.length && !removes.includes(sender);
    const { adds } = message;
    const alone = adds.length === 0 || (removes.length === 0 && adds.length <= ADMITTED_MAX);
    const opensTheDoor = adds.length === 0 || isDoorkeeper(sender, now.leaves);
    if (!once || !alone || !opensTheDoor || message.init !== null) throw new GroupError('not-allowed');
    if (seat.credential !== leaf.credential || seat.leafKey !== leaf.leafKey) throw new GroupError('bad-credential');
    return member.peerId;
  }
  if (message.init === null || removes.length > 1 || message.adds.length > 0) throw new GroupError('not-allowed');
  const entrant = await self.validate(leaf.credential, hexToBytes(leaf.leafKey));
  if (!entrant) throw new GroupError('bad-credential');
  const others = now.members.filter((member) => !removes.includes(member.leaf));
  const taken = others.some(
    (member) => member.peerId === entrant.peerId || now.leaves[member.leaf]?.leafKey === leaf.leafKey,
  );
  if (taken) throw new GroupError('bad-credential');
  for (const index of removes) {
    const replaced = now.members.find((member) => member.leaf === index);
    if (replaced?.peerId !== entrant.peerId) throw new GroupError('not-allowed');
    if (index === ownLeaf) throw new GroupError('removed');
  }
  return entrant.peerId;
}
