/**
 * How a Room speaks to many of its Peers at once: the event is sealed once, under a key that each socket was given through its own
 * channel (ADR 0014). A new key after a minute, and whenever somebody goes.
 */
import { BroadcastSealer, encodeContent } from '@veilcast/e2ee/channel';
import type { AnyEvent, Clock } from '@veilcast/protocol';
import { randomBytes } from 'node:crypto';
import { nodeCipher } from './node-cipher.ts';
import type { PeerLink } from './seat.ts';

/** As in the channel itself: what was recorded is worth less to whoever steals a key. */
const REPLACE_AFTER_MS = 60_000;

export class RoomVoice {
  readonly #clock: Clock;
  #sealer: BroadcastSealer<Uint8Array> | undefined;
  #replaced = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  tell(links: readonly PeerLink[], event: AnyEvent): void {
    const [only] = links;
    if (only !== undefined && links.length === 1) return only.tell(event);
    if (links.length === 0) return;
    const sealer = this.#current();
    let sealed: Uint8Array | undefined;
    const record = (): Uint8Array => {
      sealed ??= sealer.seal(encodeContent({ name: event.name, body: event.body }));
      return sealed;
    };
    const shared = { event, record, keyNumber: sealer.number, keyMessage: () => sealer.keyMessage() };
    for (const link of links) link.tellShared(shared);
  }

  /** Who went hears nothing more. */
  somebodyWent(): void {
    this.#replaced = Number.NEGATIVE_INFINITY;
  }

  #current(): BroadcastSealer<Uint8Array> {
    const now = this.#clock.now();
    if (!this.#sealer) this.#sealer = new BroadcastSealer(nodeCipher, (length) => new Uint8Array(randomBytes(length)));
    else if (now - this.#replaced < REPLACE_AFTER_MS) return this.#sealer;
    else this.#sealer.replace();
    this.#replaced = now;
    return this.#sealer;
  }
}
