/**
 * The picture of the call that applications look at: immutable, a new object after every change and the same one between
 * changes, so that `===` answers "did anything change" (React's useSyncExternalStore builds on that).
 */
import type { ClusterError, PeerId, PeerView, ProducerId, Role } from '@veilcast/protocol';
import { ALL_WELL } from './adaptation/standing.ts';
import type { CallError, CallSnapshot, Encryption, Person, PersonIdentity, RemoteTrack } from './call.ts';

/** Changes of keys and warnings kept, of each. Older ones fall out. */
export const KEY_NOTICES_MAX = 100;

/** Steps of a level: finer steps would change the picture without anybody seeing it. */
const LEVEL_STEPS = 20;

const NO_ENCRYPTION: Encryption = {
  state: 'waiting',
  suite: '',
  epoch: 0,
  members: [],
  code: '',
  authenticator: '',
  changes: [],
  warnings: [],
  framesSealed: 0,
  framesOpened: 0,
  failures: {},
};

export function emptySnapshot(name: string): CallSnapshot {
  return {
    state: 'connecting',
    room: '',
    self: {
      peerId: '',
      name,
      role: 'viewer',
      region: '',
      node: '',
      handRaised: false,
      published: [],
      muted: [],
      identity: undefined,
    },
    people: [],
    encryption: NO_ENCRYPTION,
    direct: false,
    network: ALL_WELL,
    locked: false,
    lobby: [],
    chat: [],
    error: undefined,
  };
}

/** Whether two values of plain JSON shape, or the same MediaStreamTrack, say the same. */
export function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (Array.isArray(a)) return a.length === (b as unknown[]).length && a.every((x, i) => same(x, (b as unknown[])[i]));
  if (Object.getPrototypeOf(a) !== Object.prototype) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && same(a[key as keyof typeof a], b[key as keyof typeof b]));
}

export class SnapshotStore {
  #snapshot: CallSnapshot;
  readonly #changed: (snapshot: CallSnapshot) => void;
  #telling = false;

  constructor(initial: CallSnapshot, changed: (snapshot: CallSnapshot) => void) {
    this.#snapshot = initial;
    this.#changed = changed;
  }

  get snapshot(): CallSnapshot {
    return this.#snapshot;
  }

  /** Values that say what was there before keep their old objects; when nothing differs the snapshot stays the same. */
  set(patch: Partial<CallSnapshot>): void {
    const changes: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(patch)) {
      if (!same(this.#snapshot[key as keyof CallSnapshot], value)) changes[key] = value;
    }
    if (Object.keys(changes).length === 0) return;
    this.#snapshot = { ...this.#snapshot, ...changes };
    this.#tellSoon();
  }

  setSelf(patch: Partial<CallSnapshot['self']>): void {
    this.set({ self: { ...this.#snapshot.self, ...patch } });
  }

  setEncryption(patch: Partial<Encryption>): void {
    this.set({ encryption: { ...this.#snapshot.encryption, ...patch } });
  }

  /** A burst of changes is told once: listeners draw, and the picture in between is never seen. */
  #tellSoon(): void {
    if (this.#telling) return;
    this.#telling = true;
    queueMicrotask(() => {
      this.#telling = false;
      this.#changed(this.#snapshot);
    });
  }
}

/** The other people in the Room, each an immutable value that is replaced when something of it changes. */
export class People {
  readonly #people = new Map<PeerId, Person>();
  /** What was shown, also by those who are not drawn yet. */
  readonly #identities = new Map<PeerId, PersonIdentity>();
  /** Of a Seat that is given up and goes on for a while. */
  readonly #former = new Set<PeerId>();
  #formerOf: (peerId: PeerId) => PeerId | undefined = () => undefined;
  readonly #changed: (people: readonly Person[]) => void;

  constructor(changed: (people: readonly Person[]) => void) {
    this.#changed = changed;
  }

  /** Who is here stays; who comes and was one of them is drawn as that one, until all that is shown of it is the new one's. */
  keepFormer(formerOf: (peerId: PeerId) => PeerId | undefined): void {
    for (const peerId of this.#people.keys()) this.#former.add(peerId);
    this.#formerOf = formerOf;
  }

  forgetFormer(): void {
    for (const peerId of this.#former) this.leave(peerId);
  }

  get(peerId: PeerId): Person | undefined {
    return this.#people.get(peerId);
  }

  list(): readonly Person[] {
    return [...this.#people.values()];
  }

  join(peer: PeerView): void {
    const known = this.#people.get(peer.peerId);
    this.#put(
      known
        ? { ...known, role: peer.role }
        : {
            peerId: peer.peerId,
            name: '',
            role: peer.role,
            nameAs: undefined,
            handRaised: false,
            level: 0,
            tracks: [],
            identity: this.#identities.get(peer.peerId),
          },
    );
  }

  leave(peerId: PeerId): void {
    this.#identities.delete(peerId);
    this.#former.delete(peerId);
    if (this.#people.delete(peerId)) this.#changed(this.#drawn());
  }

  clear(): void {
    if (this.#people.size === 0) return;
    this.#people.clear();
    this.#former.clear();
    this.#changed([]);
  }

  identity(peerId: PeerId, identity: PersonIdentity): void {
    this.#identities.set(peerId, identity);
    this.#patch(peerId, { identity });
  }

  role(peerId: PeerId, role: Role): void {
    this.#patch(peerId, { role });
  }

  profile(peerId: PeerId, profile: Pick<Person, 'name' | 'nameAs' | 'handRaised'>): void {
    this.#patch(peerId, profile);
  }

  level(peerId: PeerId, level: number): void {
    this.#patch(peerId, { level: Math.round(Math.min(1, Math.max(0, level)) * LEVEL_STEPS) / LEVEL_STEPS });
  }

  putTrack(peerId: PeerId, track: RemoteTrack): void {
    const person = this.#people.get(peerId);
    if (!person) return;
    const others = person.tracks.filter((other) => other.producerId !== track.producerId);
    this.#put({ ...person, tracks: [...others, track] });
  }

  patchTrack(peerId: PeerId, producerId: ProducerId, patch: Partial<RemoteTrack>): void {
    const person = this.#people.get(peerId);
    if (!person) return;
    const tracks = person.tracks.map((track) => (track.producerId === producerId ? { ...track, ...patch } : track));
    this.#put({ ...person, tracks });
  }

  removeTrack(peerId: PeerId, producerId: ProducerId): void {
    const person = this.#people.get(peerId);
    if (!person) return;
    this.#put({ ...person, tracks: person.tracks.filter((track) => track.producerId !== producerId) });
  }

  #patch(peerId: PeerId, patch: Partial<Person>): void {
    const person = this.#people.get(peerId);
    if (person) this.#put({ ...person, ...patch });
  }

  #put(person: Person): void {
    const before = this.#people.get(person.peerId);
    if (same(before, person)) return;
    this.#people.set(person.peerId, person);
    this.#letGo(person.peerId);
    this.#changed(this.#drawn());
  }

  /** One for each: somebody of whom something is shown by a former Peer is not drawn beside it. */
  #drawn(): Person[] {
    if (this.#former.size === 0) return [...this.#people.values()];
    const next = new Map(Array.from(this.#people.values(), (person) => [this.#before(person.peerId)?.peerId, person]));
    return [...this.#people.values()].flatMap((person) => {
      if (this.#before(person.peerId)) return [];
      const same = this.#former.has(person.peerId) ? next.get(person.peerId) : undefined;
      return same ? { ...person, level: same.level, tracks: [...person.tracks, ...same.tracks] } : person;
    });
  }

  #before(peerId: PeerId): Person | undefined {
    const was = this.#formerOf(peerId);
    return was !== undefined && this.#former.has(was) ? this.#people.get(was) : undefined;
  }

  /** Nothing of the former Peer is shown, and the new one is known by name. */
  #letGo(changed: PeerId): void {
    for (const person of this.#people.values()) {
      const before = this.#before(person.peerId);
      if (!before || (changed !== before.peerId && changed !== person.peerId)) continue;
      if (before.tracks.length === 0 && (person.name !== '' || before.name === '')) this.leave(before.peerId);
    }
  }
}

export function callError({ code, message }: ClusterError): CallError {
  return { code, message };
}
