/**
 * The keys of one Epoch: a chain of base keys, one a second, and the frame keys derived from them.
 *
 * Nobody's clock says when an Epoch began for the others, since each hears of the Commit when it arrives. So the step
 * is taken from the first frame that opens and then from the fastest clock heard; until a frame opened the window is wide.
 * A base key older than the window is dropped: what was sent before cannot be opened with what is still here.
 */
import { packKeyId } from './header.ts';
import type { EpochInstall } from './model.ts';
import { deriveFrameKey, type FrameKey, importBaseKey, ratchet, SUITE_5 } from './suite.ts';

/** One ratchet step. */
export const STEP_MS = 1000;
/** Steps behind the current one that still open. More: less forward secrecy. Fewer: late frames are lost. */
export const STEPS_BEHIND = 3;
/** Steps ahead that open. More: a forged frame costs more derivations. */
export const STEPS_AHEAD = 5;
/** Window both ways before the first frame, and how far others may run ahead of our clock: the latest a Commit may reach us, in seconds. */
const STEPS_ADRIFT = 63;
/** Frame keys held. Nine steps of all streams of 25 senders are under 1000. */
const FRAME_KEYS_MAX = 4096;

export class EpochKeyChain {
  readonly epoch: number;
  readonly selfLeaf: number;
  readonly members: ReadonlyMap<number, string>;
  readonly #installedAt: number;
  /** When step 0 was, by the clock of those who send. Undefined until a frame opened. */
  #origin: number | undefined;
  /** Lowest step that is still held. */
  #low = 0;
  #bases = new Map<number, Promise<CryptoKey>>();
  #frameKeys = new Map<number, Promise<FrameKey>>();

  private constructor(install: EpochInstall, base: CryptoKey, now: number) {
    this.epoch = install.epoch;
    this.selfLeaf = install.selfLeaf;
    this.members = new Map(install.members);
    this.#installedAt = now;
    this.#bases.set(0, Promise.resolve(base));
  }

  static async create(install: EpochInstall, now: number): Promise<EpochKeyChain> {
    return new EpochKeyChain(install, await importBaseKey(install.baseKey), now);
  }

  /** Base keys and frame keys in memory. */
  get keysHeld(): number {
    return this.#bases.size + this.#frameKeys.size;
  }

  step(now: number): number {
    return Math.max(0, Math.floor((now - (this.#origin ?? this.#installedAt)) / STEP_MS));
  }

  /** The whole step whose low 8 bits these are, if frames of it may be opened now. */
  resolve(low8: number, now: number): number | undefined {
    const { from, to } = this.#window(now);
    const step = from + ((low8 - from) & 255);
    return step <= to ? step : undefined;
  }

  holds(step: number, now: number): boolean {
    const { from, to } = this.#window(now);
    return step >= from && step <= to;
  }

  /** A frame of this step opened: nobody but a member can bring this about. */
  heard(step: number, now: number): void {
    if (this.#origin === undefined || step > this.step(now)) this.#origin = now - step * STEP_MS;
  }

  /** Undefined when the step is no longer held. */
  async frameKey(step: number, stream: number, leaf: number): Promise<FrameKey | undefined> {
    const name = (step * 16 + stream) * 4096 + leaf;
    const known = this.#frameKeys.get(name);
    if (known !== undefined) return known;
    const base = this.#base(step);
    if (base === undefined) return undefined;
    const kid = BigInt(packKeyId({ step, stream, leaf, epoch: this.epoch }));
    const usage = leaf === this.selfLeaf ? 'encrypt' : 'decrypt';
    const derived = base.then((key) => deriveFrameKey(SUITE_5, key, kid, usage));
    this.#frameKeys.set(name, derived);
    if (this.#frameKeys.size > FRAME_KEYS_MAX) {
      for (const oldest of this.#frameKeys.keys()) {
        this.#frameKeys.delete(oldest);
        break;
      }
    }
    return derived;
  }

  /** Drops the keys of steps that have passed. Once a second at least. */
  async advance(now: number): Promise<void> {
    const { from } = this.#window(now);
    if (from <= this.#low) return;
    const base = this.#base(from);
    this.#low = from;
    for (const step of this.#bases.keys()) if (step < from) this.#bases.delete(step);
    for (const name of this.#frameKeys.keys()) if (name < from * 65_536) this.#frameKeys.delete(name);
    await base;
  }

  /** Drops every key. Whoever still holds this chain gets none from it. */
  forget(): void {
    this.#bases.clear();
    this.#frameKeys.clear();
  }

  #window(now: number): { from: number; to: number } {
    const current = this.step(now);
    const ours = Math.max(0, Math.floor((now - this.#installedAt) / STEP_MS));
    const behind = this.#origin === undefined ? STEPS_ADRIFT : STEPS_BEHIND;
    const ahead = this.#origin === undefined ? STEPS_ADRIFT : STEPS_AHEAD;
    return {
      from: Math.max(this.#low, current - behind),
      to: Math.min(current + ahead, ours + STEPS_ADRIFT),
    };
  }

  /** The chain from the nearest base key below, each derived once. */
  #base(step: number): Promise<CryptoKey> | undefined {
    if (step < this.#low) return undefined;
    let known = step;
    while (!this.#bases.has(known)) {
      known--;
      if (known < this.#low) return undefined;
    }
    let base = this.#bases.get(known);
    for (let next = known + 1; base !== undefined && next <= step; next++) {
      base = base.then((key) => ratchet(SUITE_5, key));
      this.#bases.set(next, base);
    }
    return base;
  }
}
