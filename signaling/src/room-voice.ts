/**
 * How a Room speaks to many of its Peers at once: the event is sealed once, under a key that each socket was given through its own
 * channel (ADR 0014). A new key after a minute, and whenever somebody goes.
 */
import { BroadcastSealer, encodeContent } from '@veilcast/e2ee/channel';
import type { AnyEvent, Clock } from '@veilcast/protocol';
import { randomBytes } from 'node:crypto';
import { nodeCipher } from './node-cipher.ts';
import type { Outbox } from './outbox.ts';

/** As in the channel itself: what was recorded is worth less to whoever steals a key. */
const REPLACE_AFTER_MS = 60_000;

/** A Room's next owner begins with a greater number than its last had, as long as that replaced no more than 10 keys a second. */
const KEYS_BEGIN_MS = 100;

function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}

export class RoomVoice {
  readonly #clock: Clock;
  #sealer: BroadcastSealer<Uint8Array> | undefined;
  #replaced = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tell(outboxes: readonly Outbox[], event: AnyEvent): void {
    const [only] = outboxes;
    if (only !== undefined && outboxes.length === 1) return only.tell(event);
    if (outboxes.length === 0) return;
    const sealer = this.#current();
    let sealed: Uint8Array | undefined;
    const record = (): Uint8Array => {
      sealed ??= sealer.seal(encodeContent({ name: event.name, body: event.body }));
      return sealed;
    };
    const shared = { record, keyNumber: sealer.number, keyMessage: () => sealer.keyMessage() };
    for (const outbox of outboxes) outbox.tellShared(event, shared);
  }

  /** Who went hears nothing more. */
  somebodyWent(): void {
    this.#replaced = Number.NEGATIVE_INFINITY;
  }

  #current(): BroadcastSealer<Uint8Array> {
    const now = this.#clock.now();
    if (!this.#sealer) {
      this.#sealer = new BroadcastSealer(nodeCipher, random, Math.floor(now / KEYS_BEGIN_MS));
    } else if (now - this.#replaced < REPLACE_AFTER_MS) return this.#sealer;
    else this.#sealer.replace();
    this.#replaced = now;
    return this.#sealer;
  }
}
