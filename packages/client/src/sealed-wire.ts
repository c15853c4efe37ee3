/** The client's end of an open channel: messages in order over a line of bytes, keys renewed on the way. */
import {
  BroadcastOpener,
  ClientChannel,
  CONTENT,
  decodeContent,
  encodeContent,
  KIND,
  webCipher,
  Welcome,
  type TrafficSecrets,
} from '@veilcast/e2ee/channel';
import { keyEncapsulation } from '@veilcast/e2ee/pq';
import { AnswerEnvelope, ClusterError, parseWith, QueuedEnvelope, type Clock, type Queued } from '@veilcast/protocol';
import { alertOf } from './alert.ts';
import type { Line } from './socket-line.ts';
import type { ChannelMemory, Wire } from './wire.ts';

/** How often it is looked whether a fresh round is due. */
const LOOK_MS = 30_000;

interface Waiting {
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: ClusterError) => void;
  readonly queued: ((queued: Queued) => void) | undefined;
  /** Begins its time anew. */
  readonly wait: () => void;
  cancel: () => void;
}

export interface SealedWireOptions {
  readonly clock: Clock;
  readonly memory: ChannelMemory;
  /** Told where the other signaling processes of the cluster are. */
  readonly others?: ((urls: readonly string[]) => void) | undefined;
}

export class SealedWire implements Wire {
  readonly #line: Line;
  readonly #options: SealedWireOptions;
  readonly #channel: ClientChannel<Promise<Uint8Array>>;
  readonly #broadcasts = new BroadcastOpener(webCipher);
  readonly #waiting = new Map<number, Waiting>();
  readonly #stop: () => void;
  #incoming: Promise<void> = Promise.resolve();
  #outgoing: Promise<void> = Promise.resolve();
  #records: [unknown, boolean][] = [];
  #record: (record: unknown, shared: boolean) => void = (record, shared) => void this.#records.push([record, shared]);
  #onLost: (error: ClusterError) => void = () => undefined;
  #lost: ClusterError | undefined;
  #pskMs = 0;
  #welcome = false;
  #closed = false;

  constructor(line: Line, secrets: TrafficSecrets, options: SealedWireOptions) {
    this.#line = line;
    this.#options = options;
    this.#channel = new ClientChannel(secrets, webCipher, options.clock.now());
    this.#stop = options.clock.every(LOOK_MS, () => void this.#renew());
    // Behind what came before: the server's last words say more than the end of its connection.
    line.onLost(() => this.#then(() => this.#lose(new ClusterError('DISCONNECTED'))));
  }

  get open(): boolean {
    return !this.#closed && this.#line.open;
  }

  /** What came over the line. */
  receive(bytes: Uint8Array | undefined): void {
    this.#then(() => this.#take(bytes));
  }

  send(request: unknown, timeoutMs: number, queued?: (queued: Queued) => void): Promise<unknown> {
    if (!this.open) return Promise.reject(this.#lost ?? new ClusterError('DISCONNECTED'));
    const id = idOf(request);
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.#waiting.delete(id);
        reject(new ClusterError('DEADLINE'));
      };
      const wait = (): void => {
        waiting.cancel();
        waiting.cancel = this.#options.clock.after(timeoutMs, late);
      };
      const waiting: Waiting = { resolve, reject, queued, wait, cancel: () => undefined };
      wait();
      this.#waiting.set(id, waiting);
      this.#say(this.#channel.seal(CONTENT.message, encodeContent(request), this.#options.clock.now()));
    });
  }

  onRecord(listener: (record: unknown, shared: boolean) => void): void {
    this.#record = listener;
    for (const [record, shared] of this.#records.splice(0)) listener(record, shared);
  }

  onLost(listener: (error: ClusterError) => void): void {
    this.#onLost = listener;
    if (this.#lost) listener(this.#lost);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onLost = () => undefined;
    this.#end(new ClusterError('CLOSED'));
  }

  async #take(bytes: Uint8Array | undefined): Promise<void> {
    if (this.#closed || this.#lost) return;
    if (!bytes) throw new ClusterError('SEAL_BROKEN');
    if (bytes[0] === KIND.broadcast) return this.#record(decodeContent(await this.#broadcasts.open(bytes)), true);
    // m3 was not what it must be.
    if (bytes[0] === KIND.alert && !this.#welcome) throw alertOf(bytes);
    const { kind, bytes: content } = this.#channel.take(await this.#channel.begin(bytes));
    switch (kind) {
      case CONTENT.message:
        return this.#deliver(decodeContent(content));
      case CONTENT.welcome: {
        this.#welcome = true;
        const { pskMs, others = [] } = parseWith(Welcome, JSON.parse(new TextDecoder().decode(content)));
        this.#pskMs = pskMs;
        this.#options.others?.(others);
        return this.#remember();
      }
      case CONTENT.broadcastKey:
        return this.#broadcasts.use(content);
      case CONTENT.freshAnswer:
        this.#say((await this.#channel.takeFresh(content.slice(), this.#options.clock.now()))());
        return this.#remember();
      case CONTENT.update:
        return undefined;
      default:
        throw new ClusterError('SEAL_BROKEN');
    }
  }

  #deliver(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('re' in message)) return this.#record(message, false);
    if ('queued' in message) return this.#queue(parseWith(QueuedEnvelope, message));
    const { re, answer } = parseWith(AnswerEnvelope, message);
    const waiting = this.#waiting.get(re);
    this.#waiting.delete(re);
    waiting?.cancel();
    waiting?.resolve(answer);
  }

  #queue({ re, queued }: QueuedEnvelope): void {
    const waiting = this.#waiting.get(re);
    waiting?.wait();
    waiting?.queued?.(queued);
  }

  async #renew(): Promise<void> {
    const now = this.#options.clock.now();
    if (!this.open || !this.#channel.wantsFresh(now)) return;
    const offer = await this.#channel.offerFresh({ keyEncapsulation, random }, now);
    if (this.open && this.#channel.wantsFresh(now)) this.#say(offer());
  }

  #remember(): void {
    const { memory, clock } = this.#options;
    const { id, key } = this.#channel.psk;
    memory.psk = { id, key: key.slice(), until: clock.now() + this.#pskMs };
  }

  /** In the order in which they were sealed, whichever is ready first. */
  #say(records: readonly Promise<Uint8Array>[]): void {
    this.#outgoing = this.#outgoing
      .then(async () => {
        for (const record of records) {
          const bytes = await record;
          if (this.open) this.#line.send(bytes);
        }
      })
      .catch((thrown: unknown) => this.#lose(ClusterError.of(thrown)));
  }

  #then(step: () => void | Promise<void>): void {
    this.#incoming = this.#incoming.then(step).catch((thrown: unknown) => this.#lose(ClusterError.of(thrown)));
  }

  #lose(error: ClusterError): void {
    if (this.#closed || this.#lost) return;
    this.#lost = error;
    this.#end(error);
    this.#onLost(error);
  }

  #end(error: ClusterError): void {
    this.#stop();
    this.#line.close();
    this.#channel.close();
    for (const { reject, cancel } of this.#waiting.values()) {
      cancel();
      reject(error);
    }
    this.#waiting.clear();
  }
}

/** What the answer will name; 0 where signaling cannot read it either. */
function idOf(request: unknown): number {
  const id = typeof request === 'object' && request !== null && 'id' in request ? request.id : undefined;
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0 ? id : 0;
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
