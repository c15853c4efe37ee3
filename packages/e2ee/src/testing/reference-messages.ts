/** States of the reference group, and its application messages. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { PeerId } from '@veilcast/protocol';
import { GroupError, type GroupMember, type GroupSelf, type GroupState } from '../group.ts';
import { derive, type IdealWorld, publicOf, sign } from './ideal.ts';
import { decode, encode, type Leaf, secretFor } from './reference-model.ts';

export type Leaves = readonly (Leaf | null)[];

export interface Epoch {
  readonly epoch: number;
  readonly secret: string;
  readonly leaves: Leaves;
  readonly members: readonly GroupMember[];
  /** `<leaf> <generation>` of what was opened. */
  readonly opened: ReadonlySet<string>;
}

export interface ReferenceHeld {
  readonly self: GroupSelf;
  readonly group: string;
  readonly now: Epoch;
  readonly former: Epoch | undefined;
  readonly transcript: string;
  readonly ownLeaf: number;
  /** Secret encryption key of our leaf. */
  readonly decryption: string;
  /** Of our KeyPackage, when we entered by Welcome. */
  readonly init?: string;
  readonly sent: number;
  readonly removed: boolean;
}

export function secretOf(self: GroupSelf): string {
  return bytesToHex(self.leafKey.secretKey);
}

/** Sealing and opening, on states that `live` gives out and `hold` takes. */
export function referenceMessages(
  world: IdealWorld,
  hold: (held: ReferenceHeld) => GroupState,
  live: (state: GroupState) => ReferenceHeld,
) {
  const seal = async (state: GroupState, plaintext: Uint8Array): Promise<{ next: GroupState; sealed: Uint8Array }> => {
    const held = live(state);
    const { now, ownLeaf, sent, self, group } = held;
    const mark = derive('mark', secretFor('authenticator', now.secret));
    const key = derive(secretFor('application', now.secret), ownLeaf, sent);
    const sealed = encode({
      kind: 'application',
      group,
      room: self.roomId,
      epoch: now.epoch,
      leaf: ownLeaf,
      generation: sent,
      mark,
      statement: sign(secretOf(self), JSON.stringify([group, now.epoch, ownLeaf, mark])),
      box: world.seal(publicOf(key), bytesToHex(plaintext)),
    });
    return { next: hold({ ...held, sent: sent + 1 }), sealed };
  };

  const open = async (
    state: GroupState,
    sealed: Uint8Array,
  ): Promise<{ next: GroupState; plaintext: Uint8Array; sender: PeerId }> => {
    const held = live(state);
    const message = decode(sealed);
    if (message === undefined) throw new GroupError('undecodable');
    if (message.kind !== 'application') throw new GroupError('not-allowed');
    if (message.group !== held.group) throw new GroupError('wrong-group');
    const present = message.epoch === held.now.epoch;
    const epoch = present ? held.now : held.former;
    if (epoch === undefined || epoch.epoch !== message.epoch) throw new GroupError('wrong-epoch');
    const { leaf, generation, mark } = message;
    const sender = epoch.members.find((member) => member.leaf === leaf);
    const seat = epoch.leaves[leaf];
    if (!sender || !seat) throw new GroupError('unknown-member');
    if (mark !== derive('mark', secretFor('authenticator', epoch.secret))) {
      const stated = JSON.stringify([message.group, message.epoch, leaf, mark]);
      const theirs = world.verify(seat.leafKey, stated, message.statement);
      throw theirs ? new GroupError('forked', { by: sender.peerId }) : new GroupError('bad-signature');
    }
    if (!held.now.members.some(({ peerId }) => peerId === sender.peerId)) throw new GroupError('unknown-member');
    const name = `${leaf} ${generation}`;
    if (epoch.opened.has(name)) throw new GroupError('replayed');
    const key = derive(secretFor('application', epoch.secret), leaf, generation);
    const content = world.open(key, message.box);
    if (content === undefined) throw new GroupError('bad-signature');
    const read: Epoch = { ...epoch, opened: new Set([...epoch.opened, name]) };
    return {
      next: hold(present ? { ...held, now: read } : { ...held, former: read }),
      plaintext: hexToBytes(content),
      sender: sender.peerId,
    };
  };

  return { seal, open };
}
