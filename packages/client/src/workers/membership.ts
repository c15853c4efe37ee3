/**
 * One member of one MLS group: takes what the delivery service says, one thing at a time and in order, and keeps the
 * group's state. A Commit of ours counts only once the delivery service took it. When the state is lost (a Commit that
 * cannot be applied) nothing is sealed any more until a new ticket brought us back in.
 *
 * Runs in the group worker; knows no worker, no timer and no network, so that tests run it in Node.
 */
import { ClusterError, type PeerId } from '@veilcast/protocol';
import {
  GroupError,
  type AppliedCommit,
  type EpochKeys,
  type GroupLibrary,
  type GroupSelf,
  type GroupState,
  type PendingCommit,
} from '@veilcast/e2ee';
import type { GroupChange, GroupEvent } from './messages.ts';

/** Receivers get this long to learn a new Epoch before we seal with it, when nobody was removed. */
const SWITCH_AFTER_MS = 50;
/** Things waiting to be done. More means that this device cannot keep up: start over instead of growing. */
const BACKLOG_MAX = 512;
/** Fresh entries without a single Epoch in between before the person is told that keys failed. */
const ENTRIES_MAX = 5;
/** A message is sealed again when a Commit overtakes it, so often. */
const SAY_TRIES = 5;
/** Messages that wait for an Epoch to be sealed in. */
const WAITING_MAX = 64;

export interface CommitBody {
  readonly epoch: number;
  readonly ticket?: number;
  readonly commit?: Uint8Array;
  readonly groupInfo: Uint8Array;
  readonly removes: readonly PeerId[];
}

/** How an Epoch came about. */
export interface Entry extends Pick<GroupChange, 'by' | 'kind' | 'added' | 'removed'> {
  readonly switchAfterMs: number;
  readonly newGroup: boolean;
}

/** What surrounds a member: the delivery service, the frame worker, the page. */
export interface MembershipOutside {
  /** @throws ClusterError when the delivery service refused it */
  commit(body: CommitBody): Promise<number>;
  /** @throws ClusterError */
  message(body: { readonly epoch: number; readonly sealed: Uint8Array }): Promise<void>;
  rejoin(): Promise<void>;
  entered(keys: EpochKeys, how: Entry): void;
  /** The state is lost; a ticket was asked for, or with `final` no further one will be. */
  lost(final: boolean): void;
  opened(sender: PeerId, plaintext: Uint8Array): void;
  /** A message or Commit was not taken; the reason holds no secret. */
  refused(reason: string): void;
}

export class Membership {
  readonly #library: GroupLibrary;
  readonly #self: GroupSelf;
  readonly #outside: MembershipOutside;
  #state: GroupState | undefined;
  #tail: Promise<void> = Promise.resolve();
  #backlog = 0;
  #entries = 0;
  #waiting: (() => void)[] = [];

  constructor(library: GroupLibrary, self: GroupSelf, outside: MembershipOutside) {
    this.#library = library;
    this.#self = self;
    this.#outside = outside;
  }

  /** Queues one event of the delivery service. */
  take(event: GroupEvent): Promise<void> {
    if (this.#backlog >= BACKLOG_MAX) return this.#resync('backlog');
    return this.#inTurn(() => this.#apply(event));
  }

  /**
   * Seals for everybody in the Epoch and hands it to the delivery service; sealed again when a Commit came in between.
   * @throws ClusterError KEYS_FAILED when there is no group to say it to, OVERLOADED when too many wait already
   */
  async say(plaintext: Uint8Array): Promise<void> {
    for (let tries = 1; ; tries++) {
      await this.#member();
      let body: { epoch: number; sealed: Uint8Array } | undefined;
      await this.#inTurn(async () => {
        if (!this.#state) return;
        const { next, sealed } = await this.#library.seal(this.#state, plaintext);
        this.#state = next;
        body = { epoch: next.epoch, sealed };
      });
      try {
        if (!body) throw new ClusterError('EPOCH_CONFLICT');
        return await this.#outside.message(body);
      } catch (thrown) {
        if (tries >= SAY_TRIES || ClusterError.of(thrown).code !== 'EPOCH_CONFLICT') throw thrown;
        await this.#epochAfter(body?.epoch);
      }
    }
  }

  /** One thing after the other; a failure of one is its own. */
  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#backlog += 1;
    const done = this.#tail.then(task).finally(() => {
      this.#backlog -= 1;
    });
    this.#tail = done.catch(() => undefined);
    return done;
  }

  async #apply(event: GroupEvent): Promise<void> {
    try {
      switch (event.name) {
        case 'groupCreate':
          return await this.#create(event.body.ticket, event.body.epoch);
        case 'groupJoin':
          return await this.#join(event.body.ticket, event.body.epoch, event.body.groupInfo);
        case 'groupCommit':
          return await this.#follow(event.body.epoch, event.body.commit);
        case 'groupRemove':
          return await this.#remove(event.body.epoch, event.body.peers);
        case 'groupMessage':
          return await this.#open(event.body.sealed, event.body.sender);
      }
    } catch (thrown) {
      await this.#resync(thrown instanceof GroupError ? thrown.reason : ClusterError.of(thrown).code);
    }
  }

  async #create(ticket: number, epoch: number): Promise<void> {
    const { state, groupInfo } = await this.#library.createGroup(this.#self);
    await this.#accepted(state, { epoch, ticket, groupInfo, removes: [] });
    await this.#adopt(state, { ...this.#ours('created'), newGroup: true });
  }

  async #join(ticket: number, epoch: number, groupInfo: Uint8Array): Promise<void> {
    const pending = await this.#library.joinGroup(this.#self, groupInfo);
    await this.#accepted(pending.next, { epoch, ticket, ...bodyOf(pending) });
    await this.#adopt(pending.next, this.#ours(pending.removes.length > 0 ? 'returned' : 'entered'));
  }

  async #follow(epoch: number, commit: Uint8Array): Promise<void> {
    // Not in the group yet, or the Commit is one that our entry was built on.
    if (!this.#state || epoch < this.#state.epoch) return;
    const applied = await this.#library.applyCommit(this.#state, commit);
    const { next, by, added, removed } = applied;
    if (removed.includes(this.#self.peerId)) throw new GroupError('removed');
    const switchAfterMs = removed.length > 0 ? 0 : SWITCH_AFTER_MS;
    await this.#adopt(next, { by, kind: kindOf(applied), added, removed, switchAfterMs, newGroup: false });
  }

  async #remove(epoch: number, peers: readonly PeerId[]): Promise<void> {
    if (this.#state?.epoch !== epoch) return;
    const pending = await this.#library.commitRemoval(this.#state, peers);
    try {
      await this.#accepted(pending.next, { epoch, ...bodyOf(pending) });
    } catch (thrown) {
      // Somebody else was first: their Commit is the next thing in the queue, and `pending` was never ours.
      const { code } = ClusterError.of(thrown);
      this.#outside.refused(code);
      return;
    }
    await this.#adopt(pending.next, { ...this.#ours('removed'), removed: pending.removes });
  }

  /** A Commit of our own: there is nothing to wait for. */
  #ours(kind: Entry['kind']): Entry {
    return { by: this.#self.peerId, kind, added: [], removed: [], switchAfterMs: 0, newGroup: false };
  }

  /** A message that does not open is dropped: one hostile member must not push the others out of the group. */
  async #open(sealed: Uint8Array, claimed: PeerId): Promise<void> {
    if (!this.#state) return;
    try {
      const { next, plaintext, sender } = await this.#library.open(this.#state, sealed);
      this.#state = next;
      if (sender === claimed) this.#outside.opened(sender, plaintext);
      else this.#outside.refused('wrong-sender');
    } catch (thrown) {
      this.#outside.refused(thrown instanceof GroupError ? thrown.reason : 'library');
    }
  }

  /** The secrets of a Commit that lost its race are wiped at once. */
  async #accepted(next: GroupState, body: CommitBody): Promise<void> {
    try {
      await this.#outside.commit(body);
    } catch (thrown) {
      this.#library.discard(next);
      throw thrown;
    }
  }

  async #adopt(next: GroupState, how: Entry): Promise<void> {
    const state = this.#state ? this.#library.adopt(this.#state, next) : next;
    this.#state = state;
    const keys = await this.#library.epochKeys(state);
    this.#entries = 0;
    this.#outside.entered(keys, how);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #resync(reason: string): Promise<void> {
    if (this.#state) this.#library.discard(this.#state);
    this.#state = undefined;
    this.#entries += 1;
    this.#outside.refused(reason);
    const final = this.#entries > ENTRIES_MAX;
    this.#outside.lost(final);
    if (final) {
      for (const wake of this.#waiting.splice(0)) wake();
      return;
    }
    try {
      await this.#outside.rejoin();
    } catch (thrown) {
      this.#outside.refused(ClusterError.of(thrown).code);
    }
  }

  /** Resolves once there is a group. @throws ClusterError KEYS_FAILED */
  async #member(): Promise<void> {
    if (this.#state) return;
    if (this.#entries <= ENTRIES_MAX) await this.#nextEpoch();
    if (!this.#state) throw new ClusterError('KEYS_FAILED');
  }

  async #epochAfter(epoch: number | undefined): Promise<void> {
    if (this.#state && this.#state.epoch !== epoch) return;
    await this.#nextEpoch();
  }

  #nextEpoch(): Promise<void> {
    if (this.#waiting.length >= WAITING_MAX) return Promise.reject(new ClusterError('OVERLOADED'));
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

function bodyOf(pending: PendingCommit): Omit<CommitBody, 'epoch'> {
  return { commit: pending.commit, groupInfo: pending.groupInfo, removes: pending.removes };
}

function kindOf({ external, added, removed }: AppliedCommit): Entry['kind'] {
  if (external) return added.length > 0 ? 'entered' : 'returned';
  return removed.length > 0 ? 'removed' : 'rotated';
}
