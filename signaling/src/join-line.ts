/**
 * The line before this process: so many joins a second are let in, the others wait in the order in which they came and are told their
 * place. A crowd then costs what the process can do, and nobody's call suffers for it (ADR 0045). Who resumes is in already and does not wait.
 */
import { ClusterError, type Clock, type Queued } from '@veilcast/protocol';
import { Budget } from './budget.ts';
import type { SignalingLimits } from './config.ts';

/** How often those in front hear their place: in time with people's eyes. */
const TELL_MS = 1_000;
/** Those who have long to wait hear it less often, but before a client takes silence for a lost connection (10 s). */
const TELL_MOST_MS = 4_000;

type LineLimits = Pick<SignalingLimits, 'joinsPerSecond' | 'joinsBurst' | 'joinsWaitingMax'>;

interface Waiting {
  /** False: nobody waits there any more. */
  readonly isOpen: () => boolean;
  readonly told: (queued: Queued) => void;
  readonly enter: () => void;
  readonly refuse: (error: ClusterError) => void;
  tellAt: number;
}

export class JoinLine {
  readonly #limits: LineLimits;
  readonly #clock: Clock;
  readonly #budget: Budget;
  readonly #line: Waiting[] = [];
  #stopNext: (() => void) | undefined;
  #stopTelling: (() => void) | undefined;

  constructor(limits: LineLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#budget = new Budget(limits.joinsPerSecond, limits.joinsBurst, clock.now());
  }

  /** Who waits, those who gave up meanwhile too. */
  get length(): number {
    return this.#line.length;
  }

  /**
   * Resolves when it is this one's turn, which may be at once. Never for one that gave up waiting.
   * @throws ClusterError OVERLOADED with a time after which there may be room in the line, CHANNEL_CLOSED
   */
  turn(isOpen: () => boolean, told: (queued: Queued) => void): Promise<void> {
    const { joinsWaitingMax } = this.#limits;
    if (this.#line.length === 0 && this.#budget.take(1, this.#clock.now()) === 0) return Promise.resolve();
    if (this.#line.length >= joinsWaitingMax) {
      const retryMs = Math.min(TELL_MOST_MS, this.#waitMs(joinsWaitingMax));
      return Promise.reject(new ClusterError('OVERLOADED', 'too many wait to join', { retryMs }));
    }
    return new Promise((enter, refuse) => {
      const waiting: Waiting = { isOpen, told, enter, refuse, tellAt: 0 };
      this.#line.push(waiting);
      this.#tell(waiting, this.#line.length);
      this.#stopTelling ??= this.#clock.every(TELL_MS, () => this.#tellAll());
      this.#wait();
    });
  }

  close(): void {
    this.#rest();
    for (const { refuse } of this.#line.splice(0)) refuse(new ClusterError('CHANNEL_CLOSED'));
  }

  /** Lets in as many as there is budget for. */
  #advance(): void {
    while (this.#line.length > 0) {
      this.#dropGone();
      if (this.#line.length === 0 || this.#budget.take(1, this.#clock.now()) > 0) break;
      this.#line.shift()?.enter();
    }
    this.#wait();
  }

  /** Whoever gave up takes nobody's turn. */
  #dropGone(): void {
    const next = this.#line.findIndex(({ isOpen }) => isOpen());
    this.#line.splice(0, next === -1 ? this.#line.length : next);
  }

  #wait(): void {
    if (this.#line.length === 0) return this.#rest();
    this.#stopNext ??= this.#clock.after(Math.ceil(1_000 / this.#limits.joinsPerSecond), () => {
      this.#stopNext = undefined;
      this.#advance();
    });
  }

  #rest(): void {
    this.#stopNext?.();
    this.#stopTelling?.();
    this.#stopNext = this.#stopTelling = undefined;
  }

  #tellAll(): void {
    const now = this.#clock.now();
    const open = this.#line.filter(({ isOpen }) => isOpen());
    this.#line.splice(0, this.#line.length, ...open);
    for (const [at, waiting] of open.entries()) if (waiting.tellAt <= now) this.#tell(waiting, at + 1);
    this.#wait();
  }

  #tell(waiting: Waiting, place: number): void {
    const waitMs = this.#waitMs(place);
    waiting.tellAt = this.#clock.now() + Math.min(TELL_MOST_MS, Math.max(TELL_MS, waitMs / 10));
    waiting.told({ place, waitMs });
  }

  #waitMs(place: number): number {
    return Math.ceil((place / this.#limits.joinsPerSecond) * 1_000);
  }
}
