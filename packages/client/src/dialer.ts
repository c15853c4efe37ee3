/**
 * How one call opens its wires: always as the same device, and resuming the last channel where the server still knows it. The
 * first can be opened before anybody clicks on Join.
 */
import type { SigningKey } from '@veilcast/e2ee/pq';
import type { Clock } from '@veilcast/protocol';
import { openWire } from './open-wire.ts';
import type { ChannelMemory, Wire } from './wire.ts';

export interface DialerOptions {
  readonly url: string;
  /** SHA-256 of the manifest's root, hexadecimal digits. */
  readonly pin: string | undefined;
  readonly clock: Clock;
  /** Joins are the same device's. */
  readonly device: Promise<SigningKey>;
}

export class Dialer {
  readonly #options: DialerOptions;
  readonly #memory: ChannelMemory = {};
  #ahead: Promise<Wire | undefined> | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
  }

  /** Opens the next wire now. What goes wrong is tried again when it is wanted. */
  dialAhead(): void {
    this.#ahead ??= this.#open().catch(() => undefined);
  }

  /** The one that was opened ahead, if it still is. @throws ClusterError as `openWire` */
  async dial(): Promise<Wire> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const wire = await ahead;
    return wire?.open ? wire : this.#open();
  }

  /** Nobody will come for it. */
  close(): void {
    void this.#ahead?.then((wire) => wire?.close());
    this.#ahead = undefined;
  }

  async #open(): Promise<Wire> {
    const { url, pin, clock, device } = this.#options;
    return openWire({ url, pin, clock, device: await device, memory: this.#memory });
  }
}
