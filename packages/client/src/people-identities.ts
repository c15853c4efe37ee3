/** Whose devices the others are, as their attestations showed it, and whom the person has verified. */
import { fingerprintOf, safetyNumber, type MemberIdentity, type SafetyNumber } from '@veilcast/e2ee/identity';
import { ClusterError, WireError, type Clock, type ParticipantId, type PeerId } from '@veilcast/protocol';
import { z } from 'zod';
import { firstAnswer } from './answering.ts';
import { browserClock } from './clock.ts';
import { ownIdentity } from './device/device.ts';
import type { Identity } from './device/identity.ts';
import { storedHeads } from './device/heads.ts';
import { storedMarks, type Marks } from './device/marks.ts';
import { gossipHeads } from './log-gossip.ts';
import { LogWatch, type HeadMemory } from './log-watch.ts';
import type { RoomPicture } from './picture.ts';
import type { SnapshotStore } from './snapshot.ts';
import type { Talk } from './talk.ts';
import type { GroupWarning } from './workers/messages.ts';

/** Remembered at once. A Room has a hundred Peers; the rest have left. */
const KNOWN_MAX = 512;

export interface PeopleIdentitiesOptions {
  /** Where signaling is, as far as is known now. */
  readonly urls: () => readonly string[];
  /** Undefined: the one that this browser keeps. */
  readonly identity?: Identity;
  readonly marks?: Marks;
  readonly heads?: HeadMemory;
  readonly warned: (warning: GroupWarning) => void;
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
  /** What the group of every Seat tells. */
  readonly listeners = {
    identified: (identity: MemberIdentity): void => void this.identified(identity),
    headSeen: (head: Uint8Array): void => this.headSeen(head),
  };
  readonly #options: PeopleIdentitiesOptions;
  readonly #marks: Marks;
  readonly #known = new Map<PeerId, MemberIdentity>();
  #place: OwnPlace | undefined;
  #watch: LogWatch | undefined;
  #stopGossip: (() => void) | undefined;
  /** Shown before we knew whose log it is. */
  #earlyHead: Uint8Array | undefined;

  constructor(options: PeopleIdentitiesOptions) {
    this.#options = options;
    this.#marks = options.marks ?? storedMarks;
    this.own = options.identity ? Promise.resolve(options.identity) : ownIdentity();
  }

  async sitDown(user: ParticipantId, root: Uint8Array): Promise<void> {
    const { publicKey, fingerprint, guest } = await this.own;
    this.#place = { user, key: publicKey, root };
    this.#watch = this.#watchFor(this.#place);
    if (this.#earlyHead) this.headSeen(this.#earlyHead);
    this.#earlyHead = undefined;
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

  /** The server shows it, or the member that is named. */
  headSeen(head: Uint8Array, from?: PeerId): void {
    if (this.#watch) void this.#watch.seen(head, from);
    else this.#earlyHead = head;
  }

  /** Tells the group what we see of the log, and looks at what the others see. */
  gossip(talk: Pick<Talk, 'on' | 'say'>, clock: Clock): void {
    this.#stopGossip = gossipHeads({ clock, random: Math.random, talk, identities: this });
  }

  close(): void {
    this.#stopGossip?.();
  }

  /** For the others to compare with theirs. */
  get latestHead(): Uint8Array | undefined {
    return this.#watch?.latest;
  }

  /** The same one over all Seats, as long as nothing changes. */
  #watchFor({ user, key, root }: OwnPlace): LogWatch {
    const { urls, heads, warned } = this.#options;
    if (this.#watch?.follows(root, user)) return this.#watch;
    return new LogWatch({
      root,
      own: { user, key },
      ask: (path) => firstAnswer(urls(), (url) => askLog(new URL(path, url))),
      memory: heads ?? storedHeads,
      now: () => browserClock.now(),
      warned,
    });
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

/** Longest wait for a proof. Nobody waits for it but the next head. */
const ASK_TIMEOUT_MS = 5_000;

/** @throws ClusterError as it was refused; anything else where nobody answers */
async function askLog(url: URL): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ASK_TIMEOUT_MS) });
  const body: unknown = await response.json();
  if (response.ok) return body;
  throw ClusterError.fromWire(z.object({ error: WireError }).parse(body).error);
}
