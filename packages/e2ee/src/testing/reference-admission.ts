/** Letting people in by KeyPackage and Welcome, in the reference group: as admission.ts does on ts-mls. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { PeerId } from '@veilcast/protocol';
import { GroupError, type GroupLibrary, type GroupSelf, type GroupState, type Offer } from '../group.ts';
import { derive, type IdealWorld, publicOf, sign } from './ideal.ts';
import { type ReferenceHeld, secretOf } from './reference-messages.ts';
import { type Commit, decode, encode, type KeyPackage, offerOf, secretFor, type Welcome } from './reference-model.ts';
import { epochOf, isDoorkeeper } from './reference-tree.ts';

interface Parts {
  readonly hold: (held: ReferenceHeld) => GroupState;
  readonly live: (state: GroupState) => ReferenceHeld;
  readonly commitAs: (
    held: ReferenceHeld,
    change: { readonly adds: readonly KeyPackage[] },
  ) => Promise<{ readonly next: ReferenceHeld; readonly made: Commit }>;
  readonly groupInfoOf: (held: ReferenceHeld) => Uint8Array;
}

/** Who would be added, in their order. @throws GroupError */
export async function judgeNewcomers(
  world: IdealWorld,
  { now, self }: ReferenceHeld,
  packages: readonly KeyPackage[],
): Promise<PeerId[]> {
  const peers = now.members.map(({ peerId }) => peerId);
  const keys = now.leaves.flatMap((leaf) => leaf?.leafKey ?? []);
  const newcomers: PeerId[] = [];
  for (const { leaf } of packages) {
    const verified = await self.validate(leaf.credential, hexToBytes(leaf.leafKey));
    if (!verified || peers.includes(verified.peerId) || keys.includes(leaf.leafKey)) {
      throw new GroupError('bad-credential');
    }
    peers.push(verified.peerId);
    keys.push(leaf.leafKey);
    newcomers.push(verified.peerId);
  }
  const signed = packages.every((one) => world.verify(one.leaf.leafKey, offerOf(one), one.signature));
  if (!signed) throw new GroupError('bad-signature');
  return newcomers;
}

export function referenceAdmission(
  world: IdealWorld,
  { hold, live, commitAs, groupInfoOf }: Parts,
): Pick<GroupLibrary, 'offer' | 'withdraw' | 'commitAdmission' | 'joinByWelcome'> {
  const offered = new WeakMap<
    Offer,
    { readonly keyPackage: KeyPackage; readonly init: string; readonly enc: string }
  >();

  const offer = async (self: GroupSelf): Promise<Offer> => {
    const [init, enc] = [world.secret(), world.secret()];
    const { credential } = self;
    const leaf = { credential, leafKey: bytesToHex(self.leafKey.publicKey), enc: publicOf(enc) };
    const unsigned: KeyPackage = {
      kind: 'keyPackage',
      room: self.roomId,
      leaf,
      init: publicOf(init),
      signature: '',
    };
    const keyPackage = { ...unsigned, signature: sign(secretOf(self), offerOf(unsigned)) };
    const value: Offer = Object.freeze({ keyPackage: encode(keyPackage), brand: 'Offer' });
    offered.set(value, { keyPackage, init, enc });
    return value;
  };

  const commitAdmission: GroupLibrary['commitAdmission'] = async (state, packages) => {
    const held = live(state);
    const adds: KeyPackage[] = [];
    let newcomers: readonly PeerId[] = [];
    for (const bytes of packages) {
      const message = decode(bytes);
      if (message?.kind !== 'keyPackage') continue;
      const wanted = [...adds, message];
      const holds = await judgeNewcomers(world, held, wanted).catch(() => undefined);
      if (!holds) continue;
      adds.push(message);
      newcomers = holds;
    }
    if (adds.length === 0) throw new GroupError('bad-credential');
    if (!isDoorkeeper(held.ownLeaf, held.now.leaves)) throw new GroupError('not-allowed');
    const { next, made } = await commitAs(held, { adds });
    const { group, now, self, transcript } = next;
    const welcome: Welcome = {
      kind: 'welcome',
      group,
      room: self.roomId,
      epoch: now.epoch,
      transcript,
      confirmation: made.confirmation,
      secrets: Object.fromEntries(adds.map(({ init }) => [init, world.seal(init, now.secret)])),
    };
    return {
      next: hold(next),
      commit: encode(made),
      groupInfo: groupInfoOf(next),
      removes: [],
      adds: newcomers,
      welcome: encode(welcome),
    };
  };

  const joinByWelcome: GroupLibrary['joinByWelcome'] = async (self, value, told) => {
    const ours = offered.get(value);
    if (ours === undefined) throw new GroupError('library');
    const info = decode(told.groupInfo);
    const welcome = decode(told.welcome);
    if (info?.kind !== 'groupInfo' || welcome?.kind !== 'welcome') throw new GroupError('undecodable');
    if (info.room !== self.roomId) throw new GroupError('wrong-group');
    const { signature, ...unsigned } = info;
    const signer = info.leaves[info.signer];
    const belongs = welcome.transcript === info.transcript && welcome.group === info.group;
    if (!belongs || !signer || !world.verify(signer.leafKey, JSON.stringify(unsigned), signature)) {
      throw new GroupError('bad-signature');
    }
    const { leaf, init } = ours.keyPackage;
    const ownLeaf = info.leaves.findIndex((one) => one?.enc === leaf.enc && one.leafKey === leaf.leafKey);
    const box = welcome.secrets[init];
    if (ownLeaf === -1 || box === undefined) throw new GroupError('unknown-member');
    const secret = world.open(ours.init, box);
    if (secret === undefined || welcome.confirmation !== derive(secretFor('confirmation', secret), info.transcript)) {
      throw new GroupError('bad-signature');
    }
    return hold({
      self,
      group: info.group,
      now: await epochOf(info.epoch, secret, info.leaves, self.validate),
      former: undefined,
      transcript: info.transcript,
      ownLeaf,
      decryption: ours.enc,
      init: ours.init,
      sent: 0,
      removed: false,
    });
  };

  return { offer, withdraw: (value) => void offered.delete(value), commitAdmission, joinByWelcome };
}
