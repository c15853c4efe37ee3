/**
 * The Room as events tell it, drawn into the snapshot: who is here, who waits at the door, who said what. Media is drawn by
 * whoever receives it; this knows no transports and no browser, so that tests run it in Node.
 */
import type { Admission, AnyEvent, PeerId, Place } from '@veilcast/protocol';
import type { Encryption } from './call.ts';
import { KEY_NOTICES_MAX, People, type SnapshotStore } from './snapshot.ts';
import type { FrameCounts, GroupStanding, GroupWarning } from './workers/messages.ts';

/** Reasons counted. They are words of our own; the bound is for those that a later version invents. */
const REASONS_MAX = 32;

export class RoomPicture {
  readonly people: People;
  readonly #store: SnapshotStore;
  readonly #refusals = new Map<string, number>();
  #counts: FrameCounts = { sealed: 0, opened: 0, failures: {} };
  /** Of the workers before this one. */
  #before: FrameCounts = { sealed: 0, opened: 0, failures: {} };

  constructor(store: SnapshotStore) {
    this.#store = store;
    this.people = new People((people) => store.set({ people }));
  }

  /** @param formerOf who was who before, where what was shown goes on for a while */
  admitted(admission: Admission, formerOf?: (peerId: PeerId) => PeerId | undefined): void {
    const { roomId, peerId, role, region, nodeId, locked, peers } = admission;
    const here = new Set<PeerId>(peers.map((peer) => peer.peerId));
    if (formerOf) this.people.keepFormer(formerOf);
    else for (const { peerId: was } of this.people.list()) if (!here.has(was)) this.people.leave(was);
    for (const peer of peers) this.people.join(peer);
    this.#store.setSelf({ peerId, role, region, node: nodeId });
    this.#store.set({ state: 'joined', room: roomId, locked, error: undefined });
  }

  /** Our media goes to another Node. */
  moved({ region, nodeId }: Place): void {
    this.#store.setSelf({ region, node: nodeId });
  }

  /** Events of the Room that change what is seen. Others are left alone. */
  take(event: AnyEvent): void {
    switch (event.name) {
      case 'peerJoined':
        this.people.join(event.body.peer);
        return;
      case 'peerLeft':
        this.people.leave(event.body.peerId);
        return;
      case 'peerRole':
        if (event.body.peerId === this.#store.snapshot.self.peerId) this.#store.setSelf({ role: event.body.role });
        else this.people.role(event.body.peerId, event.body.role);
        return;
      case 'lobby':
        this.#store.set({ lobby: event.body.waiting.map(({ peerId, name }) => ({ peerId, name })) });
        return;
      case 'roomLocked':
        this.#store.set({ locked: event.body.locked });
        return;
      default:
        return;
    }
  }

  standing(standing: GroupStanding): void {
    if (standing.kind === 'epoch') {
      const { epoch, members, code, authenticator, suite, change } = standing;
      const changes = [...this.#store.snapshot.encryption.changes, change].slice(-KEY_NOTICES_MAX);
      this.#store.setEncryption({ state: 'encrypted', epoch, members, code, authenticator, suite, changes });
    } else this.notEncrypted(standing.kind === 'failed' ? 'failed' : 'waiting');
  }

  notEncrypted(state: Encryption['state']): void {
    this.#store.setEncryption({ state, members: [], code: '', authenticator: '' });
  }

  warned(warning: GroupWarning): void {
    const { warnings } = this.#store.snapshot.encryption;
    this.#store.setEncryption({ warnings: [...warnings, warning].slice(-KEY_NOTICES_MAX) });
  }

  counted(counts: FrameCounts): void {
    this.#counts = counts;
    this.#drawCounts();
  }

  /** New workers count from zero; the call goes on counting. */
  newWorkers(): void {
    this.#before = sum(this.#before, this.#counts);
    this.#counts = { sealed: 0, opened: 0, failures: {} };
  }

  /** Something of the group was not taken. */
  refused(what: string): void {
    const reason = `group-${what}`;
    if (this.#refusals.size >= REASONS_MAX && !this.#refusals.has(reason)) return;
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    this.#drawCounts();
  }

  #drawCounts(): void {
    const all = sum(this.#before, this.#counts);
    this.#store.setEncryption({
      framesSealed: all.sealed,
      framesOpened: all.opened,
      failures: { ...all.failures, ...Object.fromEntries(this.#refusals) },
    });
  }
}

function sum(a: FrameCounts, b: FrameCounts): FrameCounts {
  const failures: Record<string, number> = { ...a.failures };
  for (const [reason, count] of Object.entries(b.failures)) failures[reason] = (failures[reason] ?? 0) + count;
  return { sealed: a.sealed + b.sealed, opened: a.opened + b.opened, failures };
}
