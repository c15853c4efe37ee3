/**
 * The server's end of `veilcast/1` on one socket: handshake first, sealed records after it (ADR 0013). What comes while a handshake
 * message is being worked on waits; what does not fit ends the line. Above it there are only messages.
 */
import {
  CONTENT,
  decodeContent,
  encodeContent,
  KIND,
  OTHERS_MAX,
  PSK_LIFE_MS,
  ServerChannel,
  ServerHandshake,
  type Presented,
  type Resumptions,
  type Welcome,
} from '@veilcast/e2ee/channel';
import { keyEncapsulation, signatures } from '@veilcast/e2ee/pq';
import { ClusterError, type Clock } from '@veilcast/protocol';
import { randomBytes } from 'node:crypto';
import type { ChannelIdentity } from './channel-identity.ts';
import { nodeCipher } from './node-cipher.ts';

/** Records that a client sent before its m3 was looked at. More: somebody does not wait for anything. */
const WAITING_MAX = 64;

const PORTS = { keyEncapsulation, signatures, random: (length: number) => new Uint8Array(randomBytes(length)) };

export interface LineOptions {
  readonly identity: ChannelIdentity;
  readonly resumptions: Resumptions;
  readonly clock: Clock;
  /** Where the other signaling processes are, for clients. */
  readonly others: () => readonly string[];
  /** Whether this address may have a handshake now; asked before anything is decapsulated. @throws ClusterError RATE_LIMITED */
  readonly mayGreet: () => Promise<void>;
  readonly emit: (bytes: Uint8Array) => void;
}

export interface LineListeners {
  /** The device has proven its key: messages may be sent. */
  opened(devicePublicKey: Uint8Array): void;
  message(message: unknown): void;
  /** Nothing more will come. `sealed`: the client can be told in a record. */
  broken(error: ClusterError, sealed: boolean): void;
  /** Something was thrown that should not have been. */
  bug(error: unknown): void;
}

export class SealedLine {
  readonly #options: LineOptions;
  readonly #listeners: LineListeners;
  readonly #waiting: Uint8Array[] = [];
  #state: 'new' | 'greeted' | 'open' | 'over' = 'new';
  #busy = false;
  #handshake: ServerHandshake | undefined;
  #channel: ServerChannel<Uint8Array> | undefined;
  #devicePublicKey: Uint8Array = new Uint8Array();

  constructor(options: LineOptions, listeners: LineListeners) {
    this.#options = options;
    this.#listeners = listeners;
  }

  receive(bytes: Uint8Array): void {
    if (this.#state === 'over') return;
    if (this.#busy && this.#waiting.length >= WAITING_MAX) return this.#break(new ClusterError('OVERLOADED'));
    if (this.#busy) this.#waiting.push(bytes);
    else this.#take(bytes);
  }

  /** @throws ClusterError CHANNEL_REQUIRED before the channel is open */
  send(message: unknown): void {
    this.#say(CONTENT.message, encodeContent(message));
  }

  /** A key under which the Room speaks to many. */
  sendBroadcastKey(keyMessage: Uint8Array): void {
    this.#say(CONTENT.broadcastKey, keyMessage);
  }

  /** A record that was sealed under that key. */
  sendShared(record: Uint8Array): void {
    if (this.#state === 'open') this.#options.emit(record);
  }

  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#waiting.length = 0;
    this.#channel?.close();
  }

  #take(bytes: Uint8Array): void {
    if (this.#state === 'open') this.#guard(() => this.#record(bytes));
    else void this.#shake(bytes);
  }

  async #shake(bytes: Uint8Array): Promise<void> {
    this.#busy = true;
    try {
      if (this.#state === 'new') await this.#greet(bytes);
      else await this.#open(bytes);
    } catch (thrown) {
      this.#break(this.#known(thrown));
    }
    this.#busy = false;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
      this.#take(next);
      if (this.#busy) return;
    }
  }

  async #greet(m1: Uint8Array): Promise<void> {
    const { identity, resumptions, clock, mayGreet, emit } = this.#options;
    await mayGreet();
    this.#handshake = new ServerHandshake({
      ...PORTS,
      kemKey: identity.kemKey,
      signed: identity.signed(),
      takePsk: (id) => resumptions.take(id, clock.now()),
      now: () => Math.floor(clock.now()),
    });
    const m2 = await this.#handshake.greet(m1);
    if (this.#over()) return;
    this.#state = 'greeted';
    emit(m2);
  }

  async #open(m3: Uint8Array): Promise<void> {
    const handshake = this.#handshake;
    this.#handshake = undefined;
    if (!handshake) throw new ClusterError('HANDSHAKE_FAILED');
    const { devicePublicKey, secrets }: Presented = await handshake.receive(m3);
    if (this.#over()) return;
    // Alone: what was opened is a signature and more, which nobody needs as long as the socket is there.
    this.#devicePublicKey = devicePublicKey.slice();
    this.#channel = new ServerChannel(secrets, nodeCipher, this.#options.clock.now());
    this.#state = 'open';
    this.#remember();
    const others = this.#options.others().slice(0, OTHERS_MAX);
    const welcome: Welcome = { pskMs: PSK_LIFE_MS, ...(others.length > 0 ? { others: [...others] } : {}) };
    this.#say(CONTENT.welcome, new TextEncoder().encode(JSON.stringify(welcome)));
    this.#listeners.opened(this.#devicePublicKey);
  }

  #record(bytes: Uint8Array): void {
    const channel = this.#live();
    const content = channel.take(channel.begin(bytes));
    switch (content.kind) {
      case CONTENT.message:
        return this.#listeners.message(this.#decoded(content.bytes));
      case CONTENT.freshOffer:
        void this.#renew(content.bytes.slice());
        return;
      case CONTENT.update:
      case CONTENT.freshDone:
        return;
      default:
        throw new ClusterError('SEAL_BROKEN');
    }
  }

  /** What is no message is told so above, like any other that is malformed. */
  #decoded(bytes: Uint8Array): unknown {
    try {
      return decodeContent(bytes);
    } catch {
      return undefined;
    }
  }

  async #renew(offer: Uint8Array): Promise<void> {
    try {
      const channel = this.#live();
      const former = channel.psk.id;
      const answer = await channel.answerFresh(PORTS, offer, this.#options.clock.now());
      if (this.#over()) return;
      for (const record of answer()) this.#options.emit(record);
      this.#options.resumptions.drop(former);
      this.#remember();
    } catch (thrown) {
      this.#break(this.#known(thrown));
    }
  }

  #remember(): void {
    const { resumptions, clock } = this.#options;
    const { id, key } = this.#live().psk;
    const now = clock.now();
    resumptions.put(id, { key: key.slice(), devicePublicKey: this.#devicePublicKey }, now + PSK_LIFE_MS, now);
  }

  #say(kind: number, bytes: Uint8Array): void {
    if (this.#state === 'over') return;
    for (const record of this.#live().seal(kind, bytes, this.#options.clock.now())) this.#options.emit(record);
  }

  #live(): ServerChannel<Uint8Array> {
    if (!this.#channel) throw new ClusterError('CHANNEL_REQUIRED');
    return this.#channel;
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.#break(this.#known(thrown));
    }
  }

  #break(error: ClusterError): void {
    if (this.#state === 'over') return;
    const sealed = this.#state === 'open';
    if (!sealed) {
      const alert = new TextEncoder().encode(JSON.stringify(error.toWire()));
      this.#options.emit(Uint8Array.of(KIND.alert, ...alert));
    }
    this.#listeners.broken(error, sealed);
    this.close();
  }

  #known(thrown: unknown): ClusterError {
    if (!(thrown instanceof ClusterError)) this.#listeners.bug(thrown);
    return ClusterError.of(thrown);
  }

  #over(): boolean {
    return this.#state === 'over';
  }
}
