/**
 * All frame keys of one endpoint: the present Epoch, the old one for two seconds more, its Sealers and Openers.
 *
 * One Keyring per group membership and nothing beside it: it is what keeps a counter from being used twice, so an
 * Epoch is never installed twice and a stream has one Sealer. A worker that lost its Keyring must re-join the group.
 * `now` is milliseconds of one clock. It may be set back; set ahead by minutes, it takes a new Epoch until others hear us.
 */
import { EpochKeyChain } from './epoch.ts';
import type { KeySource } from './key-source.ts';
import type { EpochInstall } from './model.ts';
import { Opener, type OpenerOptions } from './opener.ts';
import { Sealer } from './sealer.ts';

/** How long an Epoch opens after its successor came. Longer: who was removed reads on. Shorter: frames in flight are lost. */
export const OLD_EPOCH_MS = 2000;
/** How long a sender may wait before it seals with a new Epoch, so that the others have it (DESIGN §5). 0 after a removal. */
export const SEAL_DELAY_MS = 300;
/** Streams of one sender: the width of the KID's field. */
export const STREAMS_MAX = 16;
/** Leaves of one group: the width of the KID's field. */
export const LEAVES_MAX = 4096;
/** A clock that goes back by more was set back by somebody; by less, two callers read it in another order. */
const CLOCK_JUMP_MS = 1000;
/**
 * Epochs held at once, when many join within OLD_EPOCH_MS. A sender is SEAL_DELAY_MS behind, and its frames are under way. Fewer than a
 * crowd makes in that time: those inside lose each other. More: room for whoever commits without end.
 */
export const EPOCHS_MAX = 64;
/** Base keys remembered by their hash, so that none is installed twice. */
const FINGERPRINTS_MAX = 1024;

interface Held {
  readonly chain: EpochKeyChain;
  readonly sealFrom: number;
  /** Set when a newer one came. */
  expiresAt: number | undefined;
}

export class Keyring {
  /** Newest last. */
  #held: Held[] = [];
  readonly #sealers = new Map<number, Sealer>();
  readonly #keys: KeySource = {
    time: (now) => this.#time(now),
    sealing: (time) => this.#sealing(time),
    opening: (low8, time) => this.#opening(low8, time),
    hasPassed: (low8) => this.epoch >= 0 && ((this.epoch - low8) & 255) < 128,
  };
  readonly #fingerprints = new Set<string>();
  /** What is added to the caller's clock, so that it does not go back. */
  #clockOffset = 0;
  #latest = Number.NEGATIVE_INFINITY;
  /** The newest Epoch that sealed. It never goes back, even if the clock does: counters would be used again. */
  #sealedWith = -1;

  /** The newest Epoch, -1 without one. */
  get epoch(): number {
    return this.#held.at(-1)?.chain.epoch ?? -1;
  }

  /**
   * Takes the keys of an Epoch: opens with them at once, seals with them from `sealFrom` on, which is now unless said otherwise.
   * False for an Epoch that is not newer, for a base key that was installed before, and for leaves outside the KID's field.
   */
  async install(keys: EpochInstall, now: number, sealFrom = now): Promise<boolean> {
    const time = this.#time(now);
    if (keys.selfLeaf >= LEAVES_MAX || keys.epoch <= this.epoch) return false;
    const fingerprint = await fingerprintOf(keys.baseKey);
    const chain = await EpochKeyChain.create(keys, time);
    if (keys.epoch <= this.epoch || this.#fingerprints.has(fingerprint)) return false;
    this.#remember(fingerprint);
    this.#expire(time);
    for (const held of this.#held) {
      held.expiresAt ??= time + OLD_EPOCH_MS;
    }
    // Two Epochs with the same low bits cannot be told apart (RFC 9605 §5.2).
    const kept = this.#held.filter((held) => (held.chain.epoch & 255) !== (keys.epoch & 255)).slice(1 - EPOCHS_MAX);
    this.#keep([...kept, { chain, sealFrom: time + sealFrom - now, expiresAt: undefined }]);
    return true;
  }

  /** The one Sealer of this stream, 0 to 15. Every simulcast layer is a stream. @throws RangeError */
  sealer(stream: number): Sealer {
    if (!Number.isInteger(stream) || stream < 0 || stream >= STREAMS_MAX) throw new RangeError('no such stream');
    let sealer = this.#sealers.get(stream);
    if (sealer === undefined) {
      sealer = new Sealer(stream, this.#keys);
      this.#sealers.set(stream, sealer);
    }
    return sealer;
  }

  /** Opens the frames of one received stream. */
  opener(options: OpenerOptions): Opener {
    return new Opener(options, this.#keys);
  }

  /** Ratchets and forgets what has passed. Call it every second. */
  async tick(now: number): Promise<void> {
    const time = this.#time(now);
    this.#expire(time);
    await Promise.all(this.#held.map((held) => held.chain.advance(time)));
  }

  /** Drops every key. Sealers and Openers refuse until another Epoch is installed. */
  forget(): void {
    this.#keep([]);
    this.#sealedWith = -1;
  }

  /** Once set back the caller's clock counts on from where it was; set ahead it cannot be told from a device that slept. */
  #time(now: number): number {
    if (now + this.#clockOffset < this.#latest - CLOCK_JUMP_MS) this.#clockOffset = this.#latest - now;
    const time = now + this.#clockOffset;
    this.#latest = Math.max(this.#latest, time);
    return time;
  }

  #sealing(now: number): EpochKeyChain | undefined {
    this.#expire(now);
    // The newest that may seal already; the first of all may at once.
    const may = (held: Held): boolean => held.sealFrom <= now || held.chain.epoch <= this.#sealedWith;
    const chain = (this.#held.findLast(may) ?? this.#held[0])?.chain;
    if (chain !== undefined) this.#sealedWith = chain.epoch;
    return chain;
  }

  #opening(low8: number, now: number): EpochKeyChain | undefined {
    this.#expire(now);
    return this.#held.find((held) => (held.chain.epoch & 255) === low8)?.chain;
  }

  #expire(now: number): void {
    const expired = (held: Held): boolean => held.expiresAt !== undefined && held.expiresAt <= now;
    if (this.#held.some(expired)) this.#keep(this.#held.filter((held) => !expired(held)));
  }

  /** Sealers, Openers and replay windows may still point at a chain that goes; its keys go now. */
  #keep(kept: Held[]): void {
    for (const held of this.#held) if (!kept.includes(held)) held.chain.forget();
    this.#held = kept;
  }

  #remember(fingerprint: string): void {
    this.#fingerprints.add(fingerprint);
    if (this.#fingerprints.size <= FINGERPRINTS_MAX) return;
    for (const oldest of this.#fingerprints) {
      this.#fingerprints.delete(oldest);
      break;
    }
  }
}

async function fingerprintOf(baseKey: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', baseKey as Uint8Array<ArrayBuffer>);
  return String.fromCharCode(...new Uint8Array(digest, 0, 16));
}
