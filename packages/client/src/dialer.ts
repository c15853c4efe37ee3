/**
 * How one call opens its wires: resuming the last channel where the server still knows it. The first can be opened before anybody
 * clicks on Join. A wire is one device's; the join in it must be the same one's (`WRONG_DEVICE`), which may have a new key by then.
 */
import { equalBytes } from '@veilcast/e2ee/identity';
import type { SigningKey } from '@veilcast/e2ee/pq';
import type { Clock } from '@veilcast/protocol';
import { openWire } from './open-wire.ts';
import type { ChannelMemory, Wire } from './wire.ts';

export interface DialerOptions {
  readonly url: string;
  /** SHA-256 of the manifest's root, hexadecimal digits. */
  readonly pin: string | undefined;
  readonly clock: Clock;
  readonly open?: typeof openWire;
}

interface Dialled {
  readonly wire: Wire;
  /** Public key of the device that it was opened as. */
  readonly key: Uint8Array;
}

export class Dialer {
  readonly #options: DialerOptions;
  /** Of the last channel, which is resumed by the device that had it and no other. */
  #last: { readonly key: Uint8Array; readonly memory: ChannelMemory } | undefined;
  #ahead: Promise<Dialled | undefined> | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** Opens the next wire now. What goes wrong is tried again when it is wanted. */
  dialAhead(device: Promise<SigningKey>): void {
    this.#ahead ??= device.then((own) => this.#open(own)).catch(() => undefined);
  }

  /** The one that was opened ahead, if it still is and by this key. @throws ClusterError as `openWire` */
  async dial(device: Promise<SigningKey>): Promise<Wire> {
    const taken = this.#ahead;
    this.#ahead = undefined;
    const [ahead, own] = await Promise.all([taken, device]);
    if (ahead?.wire.open && equalBytes(ahead.key, own.publicKey)) return ahead.wire;
    ahead?.wire.close();
    return (await this.#open(own)).wire;
  }

  /** Nobody will come for it. */
  close(): void {
    void this.#ahead?.then((ahead) => ahead?.wire.close());
    this.#ahead = undefined;
  }

  async #open(device: SigningKey): Promise<Dialled> {
    const { url, pin, clock, open = openWire } = this.#options;
    const key = device.publicKey;
    if (!this.#last || !equalBytes(this.#last.key, key)) this.#last = { key, memory: {} };
    const { memory } = this.#last;
    return { key, wire: await open({ url, pin, clock, device, memory }) };
  }
}
