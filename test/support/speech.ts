/** Members in one thread who speak all the while: each seals a frame every 20 ms, and every other one must open it. */
import type { Entry } from '@veilcast/client/membership';
import type { EpochKeys } from '@veilcast/e2ee';
import type { PeerId } from '@veilcast/protocol';
import { Keyring, type Opener } from '@veilcast/sframe';

const FRAME_MS = 20;
/** A frame waits so long for its key, as in a receiver (packages/client/src/workers/opening.ts), and longer on a machine that stands still. */
const PATIENCE_MS = 5_000;
const CODEC = { codec: 'opus', keyFrame: false } as const;

interface Early {
  readonly to: PeerId;
  readonly from: PeerId;
  readonly bytes: Uint8Array;
  readonly since: number;
}

export class Speech {
  readonly #rings = new Map<PeerId, Keyring>();
  /** The Epoch that each came with. */
  readonly #entered = new Map<PeerId, number>();
  readonly #openers = new Map<string, Opener>();
  readonly #lost: string[] = [];
  #early: Early[] = [];
  #opened = 0;
  #tail: Promise<void> = Promise.resolve();
  readonly #timer = setInterval(() => this.#then(() => this.#speak()), FRAME_MS);

  install(peerId: PeerId, keys: EpochKeys, { switchAfterMs }: Pick<Entry, 'switchAfterMs'>): void {
    const { epoch, selfLeaf } = keys;
    const baseKey = keys.baseKey.slice();
    const members = new Map(keys.members.map((member) => [member.leaf, member.peerId]));
    const now = Date.now();
    this.#then(async () => {
      const ring = this.#rings.get(peerId) ?? new Keyring();
      this.#rings.set(peerId, ring);
      if (!this.#entered.has(peerId)) this.#entered.set(peerId, epoch);
      await ring.install({ epoch, baseKey, selfLeaf, members }, now, now + switchAfterMs);
    });
  }

  /** What was not opened in the end, by reason. */
  async end(): Promise<{ readonly opened: number; readonly lost: readonly string[] }> {
    clearInterval(this.#timer);
    this.#then(() => this.#hearEarly());
    await this.#tail;
    return { opened: this.#opened, lost: [...this.#lost, ...this.#early.map(() => 'unknown-key')] };
  }

  #then(step: () => Promise<void>): void {
    this.#tail = this.#tail.then(step).catch((thrown: unknown) => void this.#lost.push(String(thrown)));
  }

  async #speak(): Promise<void> {
    await this.#hearEarly();
    const now = Date.now();
    for (const [from, ring] of this.#rings) {
      await ring.tick(now);
      const sealed = await ring.sealer(0).seal(Uint8Array.of(1, 2, 3), CODEC, now);
      if (sealed.kind !== 'sealed') this.#lost.push(sealed.reason);
      else
        for (const to of this.#hearersOf(from, sealed.epoch))
          await this.#hear({ to, from, bytes: sealed.bytes, since: now });
    }
  }

  /** Who came with this Epoch or before it. */
  #hearersOf(from: PeerId, epoch: number): PeerId[] {
    return [...this.#rings.keys()].filter((peerId) => peerId !== from && (this.#entered.get(peerId) ?? epoch) <= epoch);
  }

  async #hearEarly(): Promise<void> {
    for (const early of this.#early.splice(0)) await this.#hear(early);
  }

  async #hear(frame: Early): Promise<void> {
    const { to, from, bytes, since } = frame;
    const way = `${from} ${to}`;
    const opener = this.#openers.get(way) ?? this.#rings.get(to)?.opener({ peer: from, streams: [0] });
    if (opener === undefined) return;
    this.#openers.set(way, opener);
    const outcome = await opener.open(bytes, CODEC, Date.now());
    if (outcome.kind === 'opened') this.#opened += 1;
    else if (outcome.reason === 'unknown-key' && Date.now() - since < PATIENCE_MS) this.#early.push(frame);
    else this.#lost.push(outcome.reason);
  }
}
