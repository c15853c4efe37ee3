/**
 * One member of one MLS group: takes what the delivery service says, one thing at a time and in order, and keeps the
 * group's state. A Commit of ours counts only once the delivery service took it. When the state is lost (a Commit that
 * cannot be applied) nothing is sealed any more until a new ticket brought us back in. What is to be done without being
 * asked for, and when, is decided in standing.ts.
 *
 * Runs in the group worker; knows no worker and no network, so that tests run it in Node.
 */
import { ClusterError, type Clock, type EventBody, type PeerId } from '@veilcast/protocol';
import {
  GroupError,
  type AppliedCommit,
  type GroupLibrary,
  type GroupSelf,
  type GroupState,
  type Offer,
  type PendingCommit,
} from '@veilcast/e2ee';
import {
  bodyOf,
  kindOf,
  reasonOf,
  type Change,
  type CommitBody,
  type Entry,
  type MembershipOutside,
} from './membership-outside.ts';

export type { CommitBody, Entry } from './membership-outside.ts';
import type { GroupEvent, GroupWarning } from './messages.ts';
import { switchAfter } from './switch-after.ts';
import { newStanding, reduce, type Standing, type StandingEffect, type StandingEvent } from './standing.ts';

/** Things waiting to be done. More means that this device cannot keep up: start over instead of growing. */
const BACKLOG_MAX = 512;
/** How long a message is sealed again when Commits overtake it, ms: a member far behind catches up, or never. */
export const SAY_PATIENCE_MS = 15_000;
/** Messages that wait for an Epoch to be sealed in. */
const WAITING_MAX = 64;

export class Membership {
  readonly #library: GroupLibrary;
  readonly #self: GroupSelf;
  readonly #outside: MembershipOutside;
  readonly #clock: Clock;
  #standing: Standing;
  #stopTimer: (() => void) | undefined;
  #state: GroupState | undefined;
  /** What we gave to whoever lets people in, until it is taken or we are in another way. */
  #offer: Offer | undefined;
  #tail: Promise<void> = Promise.resolve();
  #backlog = 0;
  #newest = { epoch: -1, at: Number.NEGATIVE_INFINITY };
  #enters = false;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  constructor(library: GroupLibrary, self: GroupSelf, outside: MembershipOutside, clock: Clock) {
    this.#library = library;
    this.#self = self;
    this.#outside = outside;
    this.#clock = clock;
    this.#standing = newStanding(self.peerId, clock.now());
    this.#step({ kind: 'tick' });
  }

  /** Queues one event of the delivery service. */
  take(event: GroupEvent): Promise<void> {
    if (this.#backlog >= BACKLOG_MAX) return this.#resync('backlog');
    return this.#inTurn(() => this.#apply(event));
  }

  /** Who is in the Room now, ourselves included, by what signaling says. */
  present(peers: readonly PeerId[]): void {
    this.#step({ kind: 'present', peers });
  }

  /**
   * Seals for everybody in the Epoch and hands it to the delivery service; sealed again when a Commit came in between.
   * @throws ClusterError KEYS_FAILED when there is no group to say it to, OVERLOADED when too many wait already,
   * EPOCH_CONFLICT when this member did not catch up with the group in time
   */
  async say(plaintext: Uint8Array): Promise<void> {
    const until = this.#clock.now() + SAY_PATIENCE_MS;
    for (;;) {
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
        const behind = ClusterError.of(thrown).code === 'EPOCH_CONFLICT';
        if (!behind || this.#clock.now() >= until) throw thrown;
        if (this.#state?.epoch === body?.epoch) await this.#nextEpoch(until);
      }
    }
  }

  /** Resolves when everything that was begun is done, as far as no answer is awaited that needs time to pass. */
  async rest(): Promise<void> {
    while (this.#backlog > 0) await this.#tail;
  }

  /** Stops its timer; nothing is told any more. */
  close(): void {
    this.#closed = true;
    this.#withdraw();
    this.#stopTimer?.();
    this.#wake();
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
          return await this.#entering(() => this.#create(event.body.ticket, event.body.epoch));
        case 'groupJoin':
          return await this.#entering(() => this.#join(event.body.ticket, event.body.epoch, event.body.groupInfo));
        case 'groupOffer':
          return await this.#offerKeys();
        case 'groupWelcome':
          return await this.#entering(() => this.#beWelcome(event.body));
        case 'groupAdd':
          if (this.#state?.epoch === event.body.epoch) await this.#letIn(event.body.keyPackages);
          return;
        case 'groupCommit':
          return await this.#follow(event.body);
        case 'groupRemove':
          if (this.#state?.epoch === event.body.epoch) await this.#remove(event.body.peers);
          return;
        case 'groupMessage':
          return await this.#open(event.body.sealed, event.body.sender);
      }
    } catch (thrown) {
      await this.#resync(reasonOf(thrown));
    }
  }

  /** While a turn is taken no other place is asked for: the service may have given this one by now. */
  async #entering(enter: () => Promise<void>): Promise<void> {
    this.#enters = true;
    try {
      await enter();
    } finally {
      this.#enters = false;
    }
  }

  async #create(ticket: number, epoch: number): Promise<void> {
    const { state, groupInfo } = await this.#library.createGroup(this.#self);
    await this.#accepted(state, { epoch, ticket, groupInfo, removes: [] });
    await this.#adopt(state, this.#ours('created'));
  }

  async #join(ticket: number, epoch: number, groupInfo: Uint8Array): Promise<void> {
    const pending = await this.#library.joinGroup(this.#self, groupInfo);
    await this.#accepted(pending.next, { epoch, ticket, ...bodyOf(pending) });
    await this.#adopt(pending.next, this.#ours(pending.removes.length > 0 ? 'returned' : 'entered'));
  }

  /** Not a way in that anything depends on: without an answer our turn comes all the same. */
  async #offerKeys(): Promise<void> {
    if (this.#state) return;
    this.#withdraw();
    this.#offer = await this.#library.offer(this.#self);
    try {
      await this.#outside.offer(this.#offer.keyPackage);
    } catch (thrown) {
      this.#outside.refused(reasonOf(thrown));
    }
  }

  async #beWelcome(told: EventBody<'groupWelcome'>): Promise<void> {
    if (this.#state) return;
    if (!this.#offer) throw new GroupError('unknown-member');
    const state = await this.#library.joinByWelcome(this.#self, this.#offer, told);
    await this.#adopt(state, this.#ours('entered'));
  }

  #withdraw(): void {
    if (this.#offer) this.#library.withdraw(this.#offer);
    this.#offer = undefined;
  }

  async #letIn(keyPackages: readonly Uint8Array[]): Promise<void> {
    await this.#commit((state) => this.#library.commitAdmission(state, keyPackages), 'admitted');
  }

  async #follow({ epoch, commit, sender }: EventBody<'groupCommit'>): Promise<void> {
    // Not in the group yet, or the Commit is one that our entry was built on.
    if (!this.#state || epoch < this.#state.epoch) return;
    let applied: AppliedCommit;
    try {
      applied = await this.#library.applyCommit(this.#state, commit);
    } catch (thrown) {
      const reason = reasonOf(thrown);
      if (reason !== 'removed') this.#warn({ kind: 'commitRefused', peers: [sender], reason });
      throw thrown;
    }
    const { next, by, added, removed } = applied;
    if (removed.includes(this.#self.peerId)) throw new GroupError('removed');
    await this.#adopt(next, { by, kind: kindOf(applied), added, removed });
  }

  /** Of nobody: new keys for ourselves. As `#commit`. */
  #remove(peers: readonly PeerId[]): Promise<string | undefined> {
    const kind = peers.length > 0 ? 'removed' : 'rotated';
    return this.#commit((state) => this.#library.commitRemoval(state, peers), kind);
  }

  /** One of a member. The reason why it did not become the group's next Epoch, if it did not. */
  async #commit(
    make: (state: GroupState) => Promise<PendingCommit>,
    kind: 'removed' | 'rotated' | 'admitted',
  ): Promise<string | undefined> {
    if (!this.#state) return undefined;
    let pending: PendingCommit;
    try {
      pending = await make(this.#state);
      await this.#accepted(pending.next, { epoch: this.#state.epoch, ...bodyOf(pending) });
    } catch (thrown) {
      // Not something to commit; or somebody else was first: their Commit is the next thing in the queue.
      const reason = reasonOf(thrown);
      this.#outside.refused(reason);
      return reason;
    }
    const { removes: removed, adds: added } = pending;
    await this.#adopt(pending.next, { ...this.#ours(kind), removed, added });
    return undefined;
  }

  #ours(kind: Entry['kind']): Change {
    return { by: this.#self.peerId, kind, added: [], removed: [] };
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
      this.#outside.refused(reasonOf(thrown));
      const by = thrown instanceof GroupError ? thrown.by : undefined;
      if (by !== undefined) this.#warn({ kind: 'fork', peers: [by], reason: reasonOf(thrown) });
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

  async #adopt(next: GroupState, change: Change): Promise<void> {
    const before = this.#state;
    const state = before ? this.#library.adopt(before, next) : next;
    this.#state = state;
    this.#withdraw();
    const keys = await this.#library.epochKeys(state);
    // Who enters has no other keys to seal with meanwhile.
    const now = this.#clock.now();
    const { peerId } = this.#self;
    const learning = keys.members.filter((member) => member.peerId !== peerId && member.peerId !== change.by).length;
    const switchAfterMs = before ? switchAfter(change, learning, now - this.#newest.at) : 0;
    // Within a group Epochs only grow: who lost its place may find one that others made anew meanwhile.
    const newGroup = keys.epoch <= this.#newest.epoch;
    this.#newest = { epoch: keys.epoch, at: now };
    this.#outside.entered(keys, { ...change, switchAfterMs, newGroup });
    this.#step({ kind: 'epoch', epoch: keys.epoch, members: keys.members, by: change.by });
    this.#wake();
  }

  /** Gives the place up. Another one is asked for, unless our own credential has run out: then this Peer has no way in. */
  async #resync(reason: string): Promise<void> {
    if (this.#state) this.#library.discard(this.#state);
    this.#state = undefined;
    this.#outside.refused(reason);
    const { credential, leafKey, validate } = this.#self;
    const expired = (await validate(credential, leafKey.publicKey)) === undefined;
    if (!expired) this.#outside.lost(false);
    this.#step(expired ? { kind: 'noPlace', final: true } : { kind: 'lost' });
  }

  #step(event: StandingEvent): void {
    if (this.#closed) return;
    const { standing, effects, wakeAt } = reduce(this.#standing, event, this.#clock.now());
    this.#standing = standing;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (wakeAt !== undefined) {
      const ms = Math.max(0, wakeAt - this.#clock.now());
      this.#stopTimer = this.#clock.after(ms, () => this.#step({ kind: 'tick' }));
    }
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: StandingEffect): void {
    switch (effect.kind) {
      case 'enter':
        if (!this.#enters) void this.#askForPlace();
        return;
      case 'rotate':
        return this.#propose([]);
      case 'remove':
        return this.#propose(effect.peers);
      case 'warn':
        return this.#warn(effect.warning);
      case 'giveUp':
        void this.#inTurn(() => this.#resync(effect.reason));
        return;
      case 'failed':
        this.#outside.lost(true);
        this.#wake();
    }
  }

  async #askForPlace(): Promise<void> {
    try {
      await this.#outside.rejoin();
    } catch (thrown) {
      const { code, retry } = ClusterError.of(thrown);
      this.#outside.refused(code);
      this.#step({ kind: 'noPlace', final: retry === 'never' });
    }
  }

  /** A Commit that nobody asked us for. It is made in the Epoch that there is by then, if it is still wanted. */
  #propose(peers: readonly PeerId[]): void {
    void this.#inTurn(async () => {
      const members = this.#standing.place?.members ?? [];
      const wanted = peers.filter((peerId) => members.includes(peerId));
      if (peers.length > 0 && wanted.length === 0) return;
      try {
        // What the service refuses for another reason was no race: it goes on as it is, and is tried again in its time.
        if ((await this.#remove(wanted)) === 'EPOCH_CONFLICT') this.#step({ kind: 'raceLost' });
      } catch (thrown) {
        await this.#resync(reasonOf(thrown));
      }
    });
  }

  #warn(warning: Pick<GroupWarning, 'kind' | 'peers' | 'reason'>): void {
    this.#outside.warned({ ...warning, at: this.#clock.now(), epoch: this.#standing.place?.epoch ?? 0 });
  }

  #wake(): void {
    const waiting = Array.from(this.#waiting);
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Resolves once there is a group. @throws ClusterError KEYS_FAILED when there never will be one */
  async #member(): Promise<void> {
    while (!this.#state && !this.#standing.over && !this.#closed) await this.#nextEpoch();
    if (!this.#state) throw new ClusterError('KEYS_FAILED');
  }

  /** Resolves with the next Epoch, or at `until`. */
  #nextEpoch(until?: number): Promise<void> {
    if (this.#waiting.size >= WAITING_MAX) return Promise.reject(new ClusterError('OVERLOADED'));
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel?.();
        this.#waiting.delete(wake);
        resolve();
      };
      const cancel = until === undefined ? undefined : this.#clock.after(until - this.#clock.now(), wake);
      this.#waiting.add(wake);
    });
  }
}
