/**
 * What goes over one connection, counted below socket.io, whatever namespace it is for: bytes and packets that came in,
 * whether or not they became a message, and bytes that wait for a slow reader. Far above its budget a connection is cut.
 */
import type { Clock } from '@veilcast/protocol';
import type { Socket as Connection } from 'engine.io';
import { Budget } from './budget.ts';
import type { SignalingLimits } from './config.ts';

/** A record is two packets, and the channel has a few of its own. */
const PACKETS_PER_REQUEST = 8;
/** What a packet costs besides its payload. */
const PACKET_BYTES = 16;

interface Packet {
  readonly data?: string | { readonly byteLength: number };
}

/** RATE_LIMITED: not worth parsing any longer. OVERLOADED: does not read what it is sent. */
export type CutCode = 'RATE_LIMITED' | 'OVERLOADED';

export class Traffic {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #bytes: Budget;
  readonly #packets: Budget;
  readonly #listeners = new Set<(code: CutCode) => void>();
  #pending = 0;
  #sending = 0;
  #over = false;

  constructor(connection: Connection, limits: SignalingLimits, clock: Clock) {
    const now = clock.now();
    this.#connection = connection;
    this.#clock = clock;
    this.#bytes = new Budget(limits.bytesPerSecond, limits.bytesBurst, now);
    this.#packets = new Budget(
      PACKETS_PER_REQUEST * limits.requestsPerSecond,
      PACKETS_PER_REQUEST * limits.requestsBurst,
      now,
    );
    connection.on('packet', (packet: Packet) => {
      if (!this.#received(sizeOf(packet))) this.#cut('RATE_LIMITED');
    });
    connection.on('packetCreate', (packet: Packet) => {
      this.#pending += sizeOf(packet);
      if (this.#pending + this.#sending > limits.sendBufferMax) this.#cut('OVERLOADED');
    });
    connection.on('flush', () => {
      this.#sending += this.#pending;
      this.#pending = 0;
    });
    // The transport's own event: the last byte of a batch has been taken by the system.
    connection.transport.on('drain', () => {
      this.#sending = 0;
    });
  }

  /** How long until this connection is within its budget of bytes again; 0: it is. */
  debtMs(): number {
    return this.#bytes.debtMs(this.#clock.now());
  }

  /** Told once, just before the connection is cut. */
  onCut(listener: (code: CutCode) => void): void {
    this.#listeners.add(listener);
  }

  #cut(code: CutCode): void {
    if (this.#over) return;
    this.#over = true;
    for (const listener of this.#listeners) listener(code);
    // Not while the engine is in the middle of a packet. A polite close would wait behind what is not read.
    queueMicrotask(() => wireOf(this.#connection)?.terminate());
  }

  #received(bytes: number): boolean {
    const now = this.#clock.now();
    const inBytes = this.#bytes.charge(bytes, now);
    return this.#packets.charge(1, now) && inBytes;
  }
}

/** The WebSocket under a connection. */
export interface Wire {
  terminate(): void;
  once(event: 'close', closed: () => void): void;
}

export function wireOf(connection: Connection): Wire | undefined {
  return (connection.transport as unknown as { readonly socket?: Wire }).socket;
}

function sizeOf({ data }: Packet): number {
  if (data === undefined) return PACKET_BYTES;
  return PACKET_BYTES + (typeof data === 'string' ? data.length : data.byteLength);
}
