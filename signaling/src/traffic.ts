/**
 * What goes over one connection, counted below socket.io: bytes and packets that came in, whether or not they became a
 * message, and bytes that wait for a slow reader.
 */
import type { Clock } from '@veilcast/protocol';
import type { Socket as Connection } from 'engine.io';
import { Budget } from './budget.ts';
import type { SignalingLimits } from './config.ts';

/** A message with its binary attachments is several packets. */
const PACKETS_PER_REQUEST = 4;
/** What a packet costs besides its payload. */
const PACKET_BYTES = 16;

interface Packet {
  readonly data?: string | { readonly byteLength: number };
}

export interface TrafficVerdict {
  /** Far above its budget: not worth parsing any longer. */
  flooding(): void;
  /** Does not read what it is sent. */
  slow(): void;
}

export class Traffic {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #bytes: Budget;
  readonly #packets: Budget;
  #pending = 0;
  #sending = 0;

  constructor(connection: Connection, limits: SignalingLimits, clock: Clock, verdict: TrafficVerdict) {
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
      if (!this.#received(sizeOf(packet))) verdict.flooding();
    });
    connection.on('packetCreate', (packet: Packet) => {
      this.#pending += sizeOf(packet);
      if (this.#pending + this.#sending > limits.sendBufferMax) verdict.slow();
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

  /** Ends the connection at once: a polite close would wait behind what is not read. */
  cut(): void {
    wireOf(this.#connection)?.terminate();
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
