/**
 * The frame worker's keys: one Keyring, fed by the group worker. Fails closed: without a key, or when our place in the
 * group is lost, nothing is sealed.
 */
import type { Clock } from '@veilcast/protocol';
import {
  Keyring,
  type Codec,
  type FrameContext,
  type Opener,
  type OpenerOptions,
  type OpenOutcome,
  type SealOutcome,
} from '@veilcast/sframe';
import type { KeyMessage } from './messages.ts';

/** The ratchet's own step. */
const TICK_MS = 1_000;
/** Epochs with newcomers that are remembered: we seal behind the newest. */
const NEWCOMERS_MAX = 64;

export class FrameKeys {
  readonly #clock: Clock;
  #ring = new Keyring();
  #sealing = false;
  /** Epochs that somebody came with, newest last. */
  #newcomers: number[] = [];
  #tail: Promise<void> = Promise.resolve();
  readonly #waiting = new Set<() => void>();
  readonly #stopTicking: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#stopTicking = clock.every(TICK_MS, () => void this.#ring.tick(clock.now()));
  }

  /** In order, one after the other. */
  take(message: KeyMessage): Promise<void> {
    if (message.kind === 'stopSealing') this.#sealing = false;
    if (message.kind === 'forget') this.#forget();
    if (message.kind !== 'epoch') return this.#tail;
    this.#tail = this.#tail.then(() => this.#install(message));
    return this.#tail;
  }

  async seal(stream: number, frame: Uint8Array, context: FrameContext): Promise<SealOutcome> {
    if (!this.#sealing) return { kind: 'refused', reason: 'no-key' };
    return await this.#ring.sealer(stream).seal(frame, context, this.#clock.now());
  }

  /** Whether somebody came after we sealed with the one Epoch and until we did with the other. */
  hasNewcomers(after: number, until: number): boolean {
    // A group that was made anew counts from zero.
    const from = until < after ? -1 : after;
    return this.#newcomers.some((epoch) => epoch > from && epoch <= until);
  }

  /** Opens frames of one received stream, with whatever Keyring is the present one. */
  opener(options: OpenerOptions): { open(frame: Uint8Array, codec: Codec): Promise<OpenOutcome> } {
    let ring: Keyring | undefined;
    let opener: Opener | undefined;
    return {
      open: (frame, codec) => {
        if (ring !== this.#ring || !opener) {
          ring = this.#ring;
          opener = ring.opener(options);
        }
        return opener.open(frame, { codec }, this.#clock.now());
      },
    };
  }

  /** Resolves when keys came, or at the time given. */
  untilKeys(at: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        cancel();
        this.#waiting.delete(done);
        resolve();
      };
      const cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), done);
      this.#waiting.add(done);
    });
  }

  close(): void {
    this.#stopTicking();
    this.#forget();
  }

  async #install(message: KeyMessage & { readonly kind: 'epoch' }): Promise<void> {
    // A group that was made anew counts its Epochs from zero again; its keys have nothing to do with the old ones.
    if (message.newGroup) {
      this.#ring = new Keyring();
      this.#newcomers = [];
    }
    const now = this.#clock.now();
    const members = new Map(message.members.map(({ leaf, peerId }) => [leaf, peerId]));
    const { epoch, baseKey, selfLeaf } = message;
    const taken = await this.#ring.install({ epoch, baseKey, selfLeaf, members }, now, now + message.switchAfterMs);
    baseKey.fill(0);
    if (!taken) return;
    this.#sealing = true;
    if (message.newcomers) this.#newcomers = [...this.#newcomers, epoch].slice(-NEWCOMERS_MAX);
    const waiting = Array.from(this.#waiting);
    for (const wake of waiting) wake();
  }

  #forget(): void {
    this.#sealing = false;
    this.#ring.forget();
  }
}
