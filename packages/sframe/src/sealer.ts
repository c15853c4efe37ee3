/**
 * Seals the frames of one stream of ours. The counter starts again with every key (Epoch and step) and is taken before
 * anything is awaited, so that no two frames share one, however many are under way. Without a key nothing passes.
 */
import { takeApart } from './clear.ts';
import type { EpochKeyChain } from './epoch.ts';
import { encodeHeader, packKeyId } from './header.ts';
import type { KeySource } from './key-source.ts';
import type { FrameContext, SealOutcome, SealRefusal } from './model.ts';
import { encrypt } from './suite.ts';
import { frameAad } from './trailer.ts';

/** Frames under one key, far above what a second holds. */
export const COUNTER_MAX = 2 ** 32;

export class Sealer {
  readonly stream: number;
  readonly #keys: KeySource;
  readonly #counterMax: number;
  #chain: EpochKeyChain | undefined;
  #step = 0;
  #counter = 0;

  constructor(stream: number, keys: KeySource, counterMax = COUNTER_MAX) {
    this.stream = stream;
    this.#keys = keys;
    this.#counterMax = counterMax;
  }

  /** Never throws for any bytes. `now` in ms, of the clock that the Keyring is told. */
  async seal(frame: Uint8Array, context: FrameContext, now: number): Promise<SealOutcome> {
    const plain = takeApart(frame, context);
    if (typeof plain === 'string') return refused(plain);
    const time = this.#keys.time(now);
    const chain = this.#keys.sealing(time);
    if (chain === undefined) return refused('no-key');
    this.#follow(chain, time);
    if (this.#counter >= this.#counterMax) return refused('exhausted');
    const ctr = BigInt(this.#counter++);
    const { stream } = this;
    const step = this.#step;
    const key = await chain.frameKey(step, stream, chain.selfLeaf);
    if (key === undefined) return refused('no-key');
    const kid = packKeyId({ step, stream, leaf: chain.selfLeaf, epoch: chain.epoch });
    const header = encodeHeader(BigInt(kid), ctr);
    const sealed = await encrypt(key, ctr, frameAad(header, plain.clear, plain.range), plain.secret);
    return { kind: 'sealed', bytes: plain.join(sealed, header), epoch: chain.epoch };
  }

  /** A step never goes back within an Epoch, whatever clocks do: going back would use counters again. */
  #follow(chain: EpochKeyChain, now: number): void {
    const step = chain.step(now);
    if (chain === this.#chain && step <= this.#step) return;
    this.#chain = chain;
    this.#step = step;
    this.#counter = 0;
  }
}

function refused(reason: SealRefusal): SealOutcome {
  return { kind: 'refused', reason };
}
