/** A Room of members, each in a thread of its own, around the delivery service: whatever a server does but sockets. */
import { Worker } from 'node:worker_threads';
import { openDelivery, reduce, type DeliveryEvent } from '@veilcast/delivery';
import type { Epoch, ErrorCode, PeerId } from '@veilcast/protocol';
import type { FromMember, ToMember } from './crowd-messages.ts';

/** Longer than anything here may take on a busy machine, ms. */
const PATIENCE_MS = 300_000;

/** One member's thread. */
export interface Seat {
  readonly peerId: PeerId;
  readonly worker: Worker;
  /** When it had the keys of each Epoch first, by the word of the Epoch. */
  readonly had: Map<string, number>;
  inRoom: boolean;
  /** The Epoch that it entered with. */
  first: number;
  word: string;
  epoch: number;
}

export function now(): number {
  return performance.timeOrigin + performance.now();
}

export class Crowd {
  delivery = openDelivery();
  readonly seats: Seat[] = [];
  /** When each Commit was taken, by the Epoch that it made. */
  readonly takenAt = new Map<number, number>();
  readonly #byPeer = new Map<PeerId, Seat>();
  readonly #waiting = new Set<() => void>();
  readonly #heard = new Map<Worker, (message: FromMember) => void>();
  #alarm: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  /** Whether a crowd is let in together; each by ticket if not. */
  readonly #together: boolean;
  /** Of the last event. */
  #refusal: ErrorCode | undefined;

  constructor(together = true) {
    this.#together = together;
  }

  /** Starts threads that have loaded the library and made their leaf key. */
  async start(count: number): Promise<Seat[]> {
    const seats: Seat[] = [];
    for (let n = 0; n < count; n++) {
      const peerId = `peer${this.seats.length}` as PeerId;
      const worker = new Worker(new URL('member.worker.ts', import.meta.url), { workerData: peerId });
      const seat: Seat = { peerId, worker, had: new Map(), inRoom: false, first: -1, word: '', epoch: -1 };
      worker.on('message', (message: FromMember) => this.#hear(seat, message));
      worker.on('error', (error: Error) => this.#fail(error));
      this.seats.push(seat);
      this.#byPeer.set(peerId, seat);
      await this.answer(seat, 'ready');
      seats.push(seat);
    }
    return seats;
  }

  enter(seat: Seat): void {
    seat.inRoom = true;
    this.give({ kind: 'enter', peerId: seat.peerId });
  }

  kick(seat: Seat): void {
    seat.inRoom = false;
    this.give({ kind: 'gone', peerId: seat.peerId, urgent: true });
  }

  give(event: DeliveryEvent): number | undefined {
    const step = reduce(this.delivery, event, now());
    this.delivery = step.state;
    if (step.epoch !== undefined) {
      this.takenAt.set(step.epoch, now());
    }
    clearTimeout(this.#alarm);
    if (step.wakeAt !== undefined) {
      this.#alarm = setTimeout(() => void this.give({ kind: 'tick' }), Math.max(0, step.wakeAt - now()));
    }
    // Who asked hears the answer first, as on a socket.
    queueMicrotask(() => {
      for (const effect of step.effects) {
        if (effect.kind === 'evict') this.#fail(new Error(`${effect.peerId} was evicted`));
        else
          for (const peerId of this.#together || effect.event.name !== 'groupOffer' ? effect.peerIds : [])
            this.tell(this.#byPeer.get(peerId), { kind: 'event', event: effect.event });
      }
    });
    this.#refusal = step.refusal;
    return step.epoch;
  }

  tell(seat: Seat | undefined, message: ToMember): void {
    seat?.worker.postMessage(message);
  }

  /** Those who are in the Room have the keys of one Epoch, of which the service knows no newer one. */
  get together(): boolean {
    const here = this.seats.filter(({ inRoom }) => inRoom);
    const settled = this.delivery.queue.length === 0 && !this.delivery.ticket && this.delivery.gone.length === 0;
    return settled && here.every(({ epoch, word }) => epoch === this.delivery.epoch && word === here[0]?.word);
  }

  /** @throws Error when it does not come to hold, or a thread failed */
  async until(holds: () => boolean): Promise<void> {
    const end = now() + PATIENCE_MS;
    while (!holds()) {
      if (this.#failure) throw this.#failure;
      if (now() > end) throw new Error('the crowd does not come together');
      await new Promise<void>((resolve) => {
        const timer = setTimeout(done, 1_000);
        const waiting = this.#waiting;
        function done(): void {
          clearTimeout(timer);
          waiting.delete(done);
          resolve();
        }
        waiting.add(done);
      });
    }
  }

  /** The next message of this kind. */
  answer<K extends FromMember['kind']>(seat: Seat, kind: K): Promise<Extract<FromMember, { kind: K }>> {
    return new Promise((resolve) => {
      this.#heard.set(seat.worker, (message) => {
        if (message.kind !== kind) return;
        this.#heard.delete(seat.worker);
        resolve(message as Extract<FromMember, { kind: K }>);
      });
    });
  }

  /** Processor time of each thread so far, ms. */
  async cpu(seats: readonly Seat[]): Promise<number[]> {
    const all: number[] = [];
    for (const seat of seats) {
      const answer = this.answer(seat, 'cpu');
      this.tell(seat, { kind: 'cpu' });
      all.push((await answer).ms);
    }
    return all;
  }

  async close(): Promise<void> {
    clearTimeout(this.#alarm);
    await Promise.all(this.seats.map(({ worker }) => worker.terminate()));
  }

  #hear(seat: Seat, message: FromMember): void {
    this.#heard.get(seat.worker)?.(message);
    if (message.kind === 'failed') this.#fail(new Error(message.reason));
    if (message.kind === 'epoch') {
      seat.word = message.word;
      seat.epoch = message.epoch;
      if (seat.first < 0) seat.first = message.epoch;
      if (!seat.had.has(message.word)) seat.had.set(message.word, message.at);
    }
    if (message.kind === 'commit') this.#commit(seat, message);
    if (message.kind === 'rejoin') {
      this.give({ kind: 'rejoin', peerId: seat.peerId });
      this.tell(seat, { kind: 'answer', call: message.call });
    }
    if (message.kind === 'offer') {
      this.give({ kind: 'offer', peerId: seat.peerId, keyPackage: message.keyPackage });
      this.tell(seat, { kind: 'answer', call: message.call });
    }
    for (const wake of Array.from(this.#waiting)) wake();
  }

  #commit({ peerId, worker }: Seat, { call, body }: FromMember & { kind: 'commit' }): void {
    const { epoch, ticket, commit, groupInfo, removes, adds = [], welcome } = body;
    const event = { ticket, commit, groupInfo, removes, adds, welcome };
    const made = this.give({ kind: 'commit', peerId, epoch: epoch as Epoch, ...event });
    const answer = this.#refusal === undefined ? { epoch: made ?? 0 } : { code: this.#refusal };
    worker.postMessage({ kind: 'answer', call, ...answer } satisfies ToMember);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const wake of Array.from(this.#waiting)) wake();
  }
}
