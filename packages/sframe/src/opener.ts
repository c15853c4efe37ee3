/**
 * Opens the frames of one received stream, and only those of the Peer that the stream belongs to: any member could seal
 * as any other (RFC 9605 §9.4 knows no senders), but the server cannot give one Peer's frames out as another's.
 */
import { takeSealedApart } from './clear.ts';
import type { EpochKeyChain } from './epoch.ts';
import { unpackKeyId } from './header.ts';
import type { KeySource } from './key-source.ts';
import type { FrameContext, KeyId, OpenOutcome, OpenRefusal } from './model.ts';
import { ReplayWindow } from './replay.ts';
import { decrypt } from './suite.ts';
import { frameAad } from './trailer.ts';

/** Replay windows held before those of passed keys are dropped. */
const WINDOWS_SWEEP = 64;

export interface OpenerOptions {
  /** Whose stream it is, as `members` of an Epoch names it. */
  readonly peer: string;
  /** The sender's streams that may come in here; any without it. */
  readonly streams?: readonly number[];
}

interface Window {
  readonly chain: EpochKeyChain;
  readonly step: number;
  readonly replay: ReplayWindow;
}

export class Opener {
  readonly #options: OpenerOptions;
  readonly #keys: KeySource;
  #windows = new Map<string, Window>();

  constructor(options: OpenerOptions, keys: KeySource) {
    this.#options = options;
    this.#keys = keys;
  }

  /**
   * Never throws. `unknown-key` may become known: hold the frame back for up to 300 ms and ask again; `passed-key` never does.
   * `context.keyFrame` is not believed; what was sealed tells.
   */
  async open(frame: Uint8Array, context: Pick<FrameContext, 'codec'>, now: number): Promise<OpenOutcome> {
    const parts = takeSealedApart(frame, context.codec);
    if (typeof parts === 'string') return refused(parts);
    if (parts.header.kid > 0xffff_ffffn) return refused('malformed');
    const keyId = unpackKeyId(Number(parts.header.kid));
    const time = this.#keys.time(now);
    const chain = this.#keys.opening(keyId.epoch, time);
    if (chain === undefined) return refused(this.#keys.hasPassed(keyId.epoch) ? 'passed-key' : 'unknown-key');
    if (!this.#isSender(chain, keyId)) return refused('wrong-sender');
    const step = chain.resolve(keyId.step, time);
    if (step === undefined) return refused('unknown-key');
    const { ctr } = parts.header;
    const window = this.#window(chain, step, keyId.stream, time);
    if (window.replay.has(ctr)) return refused('replay');
    const key = await chain.frameKey(step, keyId.stream, keyId.leaf);
    if (key === undefined) return refused('unknown-key');
    const plain = await decrypt(key, ctr, frameAad(parts.headerBytes, parts.clear, parts.range), parts.sealed);
    if (plain === undefined) return refused('forged');
    // The same frame may have been opened while this one was under way.
    if (window.replay.has(ctr)) return refused('replay');
    window.replay.add(ctr);
    chain.heard(step, time);
    return { kind: 'opened', bytes: parts.join(plain), key: keyId };
  }

  #isSender(chain: EpochKeyChain, keyId: KeyId): boolean {
    const { peer, streams } = this.#options;
    if (chain.members.get(keyId.leaf) !== peer || keyId.leaf === chain.selfLeaf) return false;
    return streams === undefined || streams.includes(keyId.stream);
  }

  #window(chain: EpochKeyChain, step: number, stream: number, now: number): Window {
    const name = `${chain.epoch}/${step}/${stream}`;
    const known = this.#windows.get(name);
    if (known !== undefined && known.chain === chain) return known;
    if (this.#windows.size >= WINDOWS_SWEEP) this.#sweep(now);
    const window = { chain, step, replay: new ReplayWindow() };
    this.#windows.set(name, window);
    return window;
  }

  /** Drops the windows of keys that open nothing any more. What is left is bounded by the step window and the streams. */
  #sweep(now: number): void {
    for (const [name, { chain, step }] of this.#windows) {
      const held = this.#keys.opening(chain.epoch & 255, now) === chain && chain.holds(step, now);
      if (!held) this.#windows.delete(name);
    }
  }
}

function refused(reason: OpenRefusal): OpenOutcome {
  return { kind: 'refused', reason };
}
