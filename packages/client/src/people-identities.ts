/** Whose devices the others are, as their attestations showed it, and whom the person has verified. */
import { fingerprintOf, safetyNumber, type MemberIdentity, type SafetyNumber } from '@veilcast/e2ee/identity';
import { ClusterError, type ParticipantId, type PeerId } from '@veilcast/protocol';
import { ownIdentity } from './device/device.ts';
import type { Identity } from './device/identity.ts';
import { storedMarks, type Marks } from './device/marks.ts';
import type { RoomPicture } from './picture.ts';
import type { SnapshotStore } from './snapshot.ts';

/** Remembered at once. A Room has a hundred Peers; the rest have left. */
const KNOWN_MAX = 512;

export interface PeopleIdentitiesOptions {
  /** Undefined: the one that this browser keeps. */
  readonly identity: Identity | undefined;
  readonly marks?: Marks;
  readonly store: Pick<SnapshotStore, 'setSelf'>;
  readonly picture: { readonly people: Pick<RoomPicture['people'], 'identity'> };
}

/** Ourselves, as the others see us. */
interface OwnPlace {
  readonly user: ParticipantId;
  readonly key: Uint8Array;
  /** ML-DSA-65 public key of the Authentication Service. */
  readonly root: Uint8Array;
}

export class PeopleIdentities {
  /** One for the whole call, whatever becomes of its Seats. */
  readonly own: Promise<Identity>;
  readonly #options: PeopleIdentitiesOptions;
  readonly #marks: Marks;
  readonly #known = new Map<PeerId, MemberIdentity>();
  #place: OwnPlace | undefined;

  constructor(options: PeopleIdentitiesOptions) {
    this.#options = options;
    this.#marks = options.marks ?? storedMarks;
    this.own = options.identity ? Promise.resolve(options.identity) : ownIdentity();
  }

  async sitDown(user: ParticipantId, root: Uint8Array): Promise<void> {
    const { publicKey, fingerprint, guest } = await this.own;
    this.#place = { user, key: publicKey, root };
    this.#options.store.setSelf({ identity: { user, fingerprint, guest } });
  }

  async identified(identity: MemberIdentity): Promise<void> {
    const { peerId, user, key, guest } = identity;
    this.#known.delete(peerId);
    this.#known.set(peerId, identity);
    const [oldest] = this.#known.keys();
    if (this.#known.size > KNOWN_MAX && oldest !== undefined) this.#known.delete(oldest);
    // A browser that keeps nothing knows nobody.
    const verified = await this.#marks.of(user, key).catch(() => 'no' as const);
    if (this.#known.get(peerId) === identity) {
      this.#options.picture.people.identity(peerId, { user, fingerprint: fingerprintOf(key), verified, guest });
    }
  }

  /** @throws ClusterError NOT_FOUND while that Peer has not shown who it is, NOT_JOINED */
  safetyNumber(peerId: PeerId): SafetyNumber {
    const place = this.#place;
    if (!place) throw new ClusterError('NOT_JOINED');
    return safetyNumber(place, this.#member(peerId), place.root);
  }

  /** Marks this user's key as compared, or takes the mark away; every Peer of the user is drawn anew. @throws ClusterError NOT_FOUND */
  async verify(peerId: PeerId, verified: boolean): Promise<void> {
    const { user, key } = this.#member(peerId);
    await this.#marks.put(user, key, verified);
    await Promise.all([...this.#known.values()].filter((one) => one.user === user).map((one) => this.identified(one)));
  }

  #member(peerId: PeerId): MemberIdentity {
    const member = this.#known.get(peerId);
    if (!member) throw new ClusterError('NOT_FOUND', 'this Peer has not shown who it is');
    return member;
  }
}
