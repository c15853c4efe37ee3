/**
 * A history of a group, with the secrets of two who are let in: what `vectors/groups.json` holds. It is drawn at random, so that the frozen
 * one is not made again but lived through: whoever has the secrets must come to the same keys.
 */
import type { PeerId } from '@veilcast/protocol';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { newKeyPackage, offerOf } from './admission.ts';
import { hex, utf8 } from './channel/bytes.ts';
import type { AuthorityKey } from './credential.ts';
import { library, newAuthority, NOW, person, ROOM } from './fixture.ts';
import type { GroupSelf, GroupState, Offer } from './group.ts';
import type { OfferedKeys } from './mls/additions.ts';
import { suiteImpl } from './suite.ts';

/** Bytes in hexadecimal. */
export interface GroupVector {
  readonly about: string;
  readonly room: string;
  /** Milliseconds since 1970 at which the credentials hold. */
  readonly now: number;
  readonly authority: AuthorityKey;
  readonly letIn: readonly {
    readonly peer: string;
    readonly credential: string;
    /** Ed25519: 32 bytes, and PKCS #8. */
    readonly leafPublicKey: string;
    readonly leafSecretKey: string;
    /** The MLSMessage that is offered; its KeyPackageRef (RFC 9420 §5.2); the seeds of its X-Wing keys. */
    readonly keyPackage: string;
    readonly keyPackageRef: string;
    readonly initSeed: string;
    readonly leafSeed: string;
  }[];
  readonly steps: readonly VectorStep[];
}

export type VectorStep =
  | ({
      readonly what: 'create' | 'enter' | 'admit' | 'rotate' | 'remove';
      readonly by: string;
      /** MLSMessages; the first Epoch has no Commit. */
      readonly commit: string;
      readonly welcome: string;
      readonly groupInfo: string;
    } & VectorEpoch)
  | { readonly what: 'say'; readonly by: string; readonly sealed: string; readonly plaintext: string };

export interface VectorEpoch {
  readonly epoch: number;
  readonly baseKey: string;
  readonly authenticator: string;
  /** Leaf and Peer, lowest leaf first. */
  readonly members: readonly string[];
}

export async function epochOf(state: GroupState): Promise<VectorEpoch> {
  const { epoch, baseKey, authenticator, members } = await library.epochKeys(state);
  const seated = members.toSorted((a, b) => a.leaf - b.leaf).map(({ leaf, peerId }) => `${leaf} ${peerId}`);
  return { epoch, baseKey: hex(baseKey), authenticator: hex(authenticator), members: seated };
}

interface Comer {
  readonly self: GroupSelf;
  readonly ours: OfferedKeys;
  readonly offer: Offer;
}

async function comer(self: GroupSelf): Promise<Comer> {
  const ours = await newKeyPackage(self);
  return { self, ours, offer: offerOf(ours) };
}

async function shownOf({ self, ours, offer }: Comer): Promise<GroupVector['letIn'][number]> {
  const { hash } = await suiteImpl();
  return {
    peer: self.peerId,
    credential: self.credential,
    leafPublicKey: hex(self.leafKey.publicKey),
    leafSecretKey: hex(self.leafKey.secretKey),
    keyPackage: hex(offer.keyPackage),
    keyPackageRef: hex(await makeKeyPackageRef(ours.keyPackage, hash)),
    initSeed: hex(ours.keys.initPrivateKey),
    leafSeed: hex(ours.keys.hpkePrivateKey),
  };
}

/** Ada makes a group, Bob enters, lets Dan and Eve in, Dan speaks, Ada renews her keys, removes Bob, and Fay enters on his leaf. */
export async function makeGroupVector(): Promise<GroupVector> {
  const authority = await newAuthority();
  const someone = (peer: string): Promise<GroupSelf> => person(authority, peer);
  const comers = [await comer(await someone('dan')), await comer(await someone('eve'))];
  const letIn = await Promise.all(comers.map(shownOf));
  const steps: VectorStep[] = [];
  const told = async (
    what: 'create' | 'enter' | 'admit' | 'rotate' | 'remove',
    state: GroupState,
    made: { readonly groupInfo: Uint8Array; readonly commit?: Uint8Array; readonly welcome?: Uint8Array | undefined },
  ): Promise<GroupState> => {
    const { groupInfo, commit = new Uint8Array(), welcome = new Uint8Array() } = made;
    const bytes = { commit: hex(commit), welcome: hex(welcome), groupInfo: hex(groupInfo) };
    steps.push({ what, by: state.self, ...bytes, ...(await epochOf(state)) });
    return state;
  };
  const made = await library.createGroup(await someone('ada'));
  let ada = await told('create', made.state, made);
  const entry = await library.joinGroup(await someone('bob'), made.groupInfo);
  const bob = await told('enter', entry.next, entry);
  ada = (await library.applyCommit(ada, entry.commit)).next;
  const admission = await library.commitAdmission(
    bob,
    comers.map(({ offer }) => offer.keyPackage),
  );
  await told('admit', admission.next, admission);
  ada = (await library.applyCommit(ada, admission.commit)).next;
  const [dan] = comers;
  if (dan === undefined || admission.welcome === undefined) throw new Error('nobody was let in');
  const inside = await library.joinByWelcome(dan.self, dan.offer, { ...admission, welcome: admission.welcome });
  const { sealed } = await library.seal(inside, utf8('hello'));
  steps.push({ what: 'say', by: 'dan', sealed: hex(sealed), plaintext: hex(utf8('hello')) });
  const rotation = await library.commitRemoval(ada, []);
  ada = await told('rotate', rotation.next, rotation);
  const removal = await library.commitRemoval(ada, ['bob' as PeerId]);
  await told('remove', removal.next, removal);
  const late = await library.joinGroup(await someone('fay'), removal.groupInfo);
  await told('enter', late.next, late);
  return {
    about:
      'A group as docs/e2ee/groups.md has it, frozen. Bytes in hexadecimal. Who is let in comes to the keys of each Epoch from the third on.',
    room: ROOM,
    now: NOW,
    authority: authority.jwk,
    letIn,
    steps,
  };
}
