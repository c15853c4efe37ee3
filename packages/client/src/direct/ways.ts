/**
 * By which way each Producer of the other is shown: the server's Consumer, or the direct connection. Make before break: the way
 * changes when the new one flows, and what is shown stays what it is until then.
 */
import type { Clock, ConsumerId, ProducerId, Source } from '@veilcast/protocol';
import type { Received } from '../media/receiving.ts';
import type { DirectConnection } from './connection.ts';
import { directConsumerId } from './streams.ts';

/** How often it is looked for. Longer: a third waits for it to be gone. Shorter: a busy page. */
const LOOK_EVERY_MS = 50;
/** So many pictures or packets since it is wanted: after a first key frame a way may need another one for its next layer. */
const STEADY = 5;
/** Once everything comes by the way that it should. */
const CALM_EVERY_MS = 200;

/** What comes by a way: decoded pictures, packets of sound. */
interface Flow {
  /** Since the last look. */
  readonly moves: boolean;
  readonly isSteady: boolean;
}

const STILL: Flow = { moves: false, isSteady: false };

export interface WaysOutside {
  readonly clock: Clock;
  /** The server's Consumers. */
  received(): readonly Received[];
  /** Muted, or shown nowhere: nothing comes by any way, and nothing is missed. */
  isIdle(producerId: ProducerId): boolean;
  /** Whether frames of it open: packets alone say nothing of that. */
  isOpened(consumerId: ConsumerId): boolean;
  replaced(before: Received, received: Received): void;
  /** All sources that are shown from the direct connection. */
  changed(attempt: number, sources: readonly Source[]): void;
}

export class Ways {
  readonly #outside: WaysOutside;
  #connection: DirectConnection | undefined;
  #prefer: 'direct' | 'server' = 'server';
  readonly #shown = new Map<ProducerId, Received>();
  /** By Consumer: how much had come when the way changed that is preferred, and at the last look. */
  #came = new Map<ConsumerId, { readonly from: number; readonly last: number }>();
  #stop: (() => void) | undefined;

  constructor(outside: WaysOutside) {
    this.#outside = outside;
  }

  /** What the server need not send. On the way back that is nothing: it must come before the direct one goes. */
  spared(): ReadonlySet<ProducerId> {
    return new Set(this.#prefer === 'direct' ? this.#shown.keys() : []);
  }

  /** What is shown, of what the server could show. */
  list(): Received[] {
    return this.#outside.received().map((received) => this.#shown.get(received.producerId) ?? received);
  }

  prefer(way: 'direct' | 'server', connection?: DirectConnection): void {
    this.#prefer = way;
    if (connection) this.#connection = connection;
    this.#came.clear();
    this.#lookAfter(0);
  }

  /** The connection is closed: what it showed is shown by the server, come what may. */
  end(): void {
    this.#prefer = 'server';
    this.#connection = undefined;
    this.#stop?.();
    this.#stop = undefined;
    for (const received of this.#outside.received()) this.#letGo(received);
    this.#shown.clear();
  }

  /** Of the server's side: this Consumer is what it would show. Returns what is shown before and after, if that is the direct one. */
  replaced(before: Received, received: Received): void {
    const direct = this.#shown.get(before.producerId);
    if (!direct) return this.#outside.replaced(before, received);
    this.#shown.delete(before.producerId);
    const next = { ...direct, producerId: received.producerId };
    this.#shown.set(received.producerId, next);
    this.#outside.replaced(direct, next);
  }

  /** The server has it no more. Returns what was shown. */
  closed(received: Received): Received {
    const shown = this.#shown.get(received.producerId) ?? received;
    if (this.#shown.delete(received.producerId)) this.#tell();
    return shown;
  }

  #lookAfter(ms: number): void {
    this.#stop?.();
    this.#stop = this.#outside.clock.after(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    const sides = this.#outside
      .received()
      .map((received) => ({ received, direct: this.#directOf(connection, received) }));
    const looked = await Promise.all(
      sides.map(async ({ received, direct }) => ({
        received,
        direct,
        byServer: await this.#flowOf(received),
        byDirect: direct && this.#outside.isOpened(direct.consumerId) ? await this.#flowOf(direct) : STILL,
      })),
    );
    if (connection !== this.#connection) return;
    let isSettled = true;
    for (const { received, direct, byServer, byDirect } of looked) {
      const isShown = this.#shown.has(received.producerId);
      if (byDirect.moves) connection.heard();
      if (this.#prefer === 'direct' && !isShown && direct && byDirect.isSteady) this.#turn(received, direct);
      else if (
        this.#prefer === 'server' &&
        isShown &&
        (byServer.isSteady || this.#outside.isIdle(received.producerId))
      ) {
        this.#letGo(received);
      } else if (isShown !== (this.#prefer === 'direct')) isSettled = false;
    }
    this.#lookAfter(isSettled ? CALM_EVERY_MS : LOOK_EVERY_MS);
  }

  #directOf(connection: DirectConnection, received: Received): Received | undefined {
    const known = this.#shown.get(received.producerId);
    if (known) return known;
    const receiver = connection.receiver(received.source);
    if (!receiver) return undefined;
    const consumerId = directConsumerId(connection.attempt, received.source) as ConsumerId;
    return { ...received, consumerId, path: [], track: receiver.track, receiver, isDirect: true };
  }

  async #flowOf({ consumerId, receiver }: Received): Promise<Flow> {
    const last = receiver ? await cameBy(receiver) : 0;
    const before = this.#came.get(consumerId) ?? { from: last, last };
    this.#came.set(consumerId, { from: before.from, last });
    return { moves: last > before.last, isSteady: last - before.from >= STEADY };
  }

  #turn(received: Received, direct: Received): void {
    this.#shown.set(received.producerId, direct);
    this.#outside.replaced(received, direct);
    this.#tell();
  }

  #letGo(received: Received): void {
    const direct = this.#shown.get(received.producerId);
    if (!direct) return;
    this.#shown.delete(received.producerId);
    this.#outside.replaced(direct, received);
    this.#tell();
  }

  #tell(): void {
    if (!this.#connection) return;
    const sources = [...new Set(Array.from(this.#shown.values(), ({ source }) => source))];
    this.#outside.changed(this.#connection.attempt, sources);
  }
}

async function cameBy(receiver: RTCRtpReceiver): Promise<number> {
  const report = await receiver.getStats().catch(() => undefined);
  const entries = report ? (Array.from(report.values()) as Record<string, unknown>[]) : [];
  return entries.reduce((sum, { type, kind, framesDecoded, packetsReceived }) => {
    return type === 'inbound-rtp' ? sum + (Number(kind === 'video' ? framesDecoded : packetsReceived) || 0) : sum;
  }, 0);
}
