/**
 * Carries what is said between the stream (@veilcast/e2ee/said) and the Seat's group: hands its frames over to be sealed,
 * brings it what was opened, and wakes it when it asks to be. It outlives Seats, so nothing said is lost or doubled by a
 * reconnect.
 */
import { ClusterError, type Clock, type PeerId } from '@veilcast/protocol';
import { Said, type Heard, type SayingName, type Speaker, type ValueOf } from '@veilcast/e2ee/said';
import { backoffMs } from './backoff.ts';
import type { GroupChange, GroupStanding } from './workers/messages.ts';

/** Whom frames are handed to: the group of the present Seat. */
export interface Mouth {
  /** Seals and sends. @throws ClusterError */
  say(frame: Uint8Array): Promise<void>;
}

export interface TalkOutside {
  readonly clock: Clock;
  heard(heard: Heard): void;
  /** What the Room keeps, or what of ours is on its way, changed. */
  changed(): void;
  refused(reason: string): void;
}

/** How an Epoch of our own Commit or Welcome is an entry of ours. */
const ENTRIES: ReadonlySet<GroupChange['kind']> = new Set(['created', 'entered', 'returned']);

type Listener<N extends SayingName> = (value: ValueOf<N>, heard: Heard) => void;

export class Talk {
  readonly #outside: TalkOutside;
  readonly #said: Said;
  readonly #listeners = new Map<SayingName, Set<(heard: Heard) => void>>();
  #mouth: Mouth | undefined;
  #cancelWake: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  #failures = 0;
  /** Fails everything that still waits, when the call ends. */
  readonly #waiting = new Set<(error: ClusterError) => void>();
  #closed = false;

  constructor(outside: TalkOutside) {
    this.#outside = outside;
    this.#said = new Said(randomStream(), {
      heard: (heard) => this.#hear(heard),
      recorded: () => outside.changed(),
      // A thing that came twice was sent twice so that it comes at all.
      refused: (reason) => reason !== 'duplicate' && outside.refused(`said-${reason}`),
      lost: (_, count) => {
        for (let i = 0; i < Math.min(count, 64); i++) outside.refused('said-lost');
      },
    });
  }

  get memory(): Said['memory'] {
    return this.#said.memory;
  }

  /** Ours, by which we know what we said ourselves. */
  get stream(): string {
    return this.#said.stream;
  }

  /** Whether what we said under this number is still on its way. */
  readonly isPending = (number: number): boolean => this.#said.isPending(number);

  /** A new Seat: from here on its group carries what is said, once it has keys. */
  sit(self: PeerId, mouth: Mouth): void {
    if (this.#mouth !== mouth) this.#said.forsake();
    this.#mouth = mouth;
    this.#said.sit(self);
  }

  /** Where a Seat's group stands; of one that another has replaced it does not matter any more. */
  follow(self: PeerId, standing: GroupStanding, mouth: Mouth): void {
    if (mouth !== this.#mouth) return;
    if (standing.kind !== 'epoch') {
      this.#said.forsake();
      return;
    }
    const { change, members, added } = standing;
    const entered = change.by === self && ENTRIES.has(change.kind);
    this.#said.follow({ self, members, added, entered }, this.#outside.clock.now());
    if (entered) {
      // What failed has nothing to do with the new group.
      this.#cancelRetry?.();
      this.#cancelRetry = undefined;
      this.#failures = 0;
    }
    this.#go();
  }

  /** An opened message. */
  hear(speaker: Speaker, frame: Uint8Array): void {
    this.#said.hear(speaker, frame, this.#outside.clock.now());
    this.#go();
  }

  /** Everything of one kind that is heard, authenticated, from members. Returns how to stop. */
  on<N extends SayingName>(kind: N, listener: Listener<N>): () => void {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners);
    const hear = (heard: Heard): void => listener(heard.value as ValueOf<N>, heard);
    listeners.add(hear);
    return () => listeners.delete(hear);
  }

  /**
   * Resolves when the delivery service took it; while the connection is made again it waits.
   * @throws ClusterError OVERSIZE, OVERLOADED, CLOSED, ZodError for a value outside its kind's limits
   */
  async say<N extends SayingName>(kind: N, value: ValueOf<N>): Promise<void> {
    if (this.#closed) throw new ClusterError('CLOSED');
    await new Promise<void>((resolve, reject) => {
      const said = (): void => {
        this.#waiting.delete(reject);
        resolve();
        this.#outside.changed();
      };
      this.#said.say(kind, value, this.#outside.clock.now(), said);
      this.#waiting.add(reject);
      this.#go();
    });
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake?.();
    this.#cancelRetry?.();
    for (const fail of this.#waiting) fail(new ClusterError('CLOSED'));
    this.#waiting.clear();
  }

  #hear(heard: Heard): void {
    this.#outside.heard(heard);
    for (const listener of this.#listeners.get(heard.kind) ?? []) listener(heard);
  }

  /** Sends what may be sent, and sees to it that the stream is woken in time. */
  #go(): void {
    if (this.#closed) return;
    const mouth = this.#mouth;
    if (mouth && !this.#cancelRetry) {
      for (let sending = this.#said.take(); sending; sending = this.#said.take()) {
        const { id, bytes } = sending;
        mouth.say(bytes).then(
          () => {
            this.#failures = 0;
            this.#said.taken(id);
            this.#go();
          },
          () => this.#again(id),
        );
      }
    }
    this.#cancelWake?.();
    const at = this.#said.wakeAt;
    if (at === undefined) return;
    this.#cancelWake = this.#outside.clock.after(Math.max(0, at - this.#outside.clock.now()), () => {
      this.#said.wake(this.#outside.clock.now());
      this.#go();
    });
  }

  /** Whatever the reason: it was not taken or nobody knows, and under its own number it arrives once. */
  #again(id: number): void {
    this.#said.untaken(id);
    if (this.#closed || this.#cancelRetry) return;
    this.#failures += 1;
    this.#cancelRetry = this.#outside.clock.after(backoffMs(this.#failures, 0.5), () => {
      this.#cancelRetry = undefined;
      this.#go();
    });
  }
}

function randomStream(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
