/**
 * How one call opens its wires: resuming the last channel where the server still knows it, and at another signaling process when the one
 * it had does not answer. The first can be opened before anybody clicks on Join. A wire is one device's; the join in it must be the
 * same one's (`WRONG_DEVICE`), which may have a new key by then.
 */
import { equalBytes } from '@veilcast/e2ee/identity';
import type { SigningKey } from '@veilcast/e2ee/pq';
import { ClusterError, type Clock, type ErrorCode } from '@veilcast/protocol';
import { openWire } from './open-wire.ts';
import type { ChannelMemory, Wire } from './wire.ts';

export interface DialerOptions {
  readonly url: string;
  /** SHA-256 of the manifest's root, hexadecimal digits. */
  readonly pin: string | undefined;
  readonly clock: Clock;
  readonly open?: typeof openWire;
  /** Whether the site answers over HTTP at all. */
  readonly answers?: (url: string) => Promise<boolean>;
}

interface Dialled {
  readonly wire: Wire;
  /** Public key of the device that it was opened as. */
  readonly key: Uint8Array;
}

/** Another process may do what this one does not. */
const ELSEWHERE: ReadonlySet<ErrorCode> = new Set([
  'DISCONNECTED',
  'CHANNEL_CLOSED',
  'OVERLOADED',
  'DEADLINE',
  'HANDSHAKE_FAILED',
]);

/** Longer: people look at nothing. Shorter: a slow network is taken for a dead server. */
const ANSWER_MS = 5_000;

/** Other processes that are remembered. */
const OTHERS_MAX = 16;

async function answersByHttp(url: string): Promise<boolean> {
  const options: RequestInit = { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) };
  return fetch(new URL('/api/manifest', url), options).then(
    ({ ok }) => ok,
    () => false,
  );
}

export class Dialer {
  readonly #options: DialerOptions;
  /** Of the last channel to each process, which is resumed by the device that had it and no other. */
  readonly #last = new Map<string, { readonly key: Uint8Array; readonly memory: ChannelMemory }>();
  /** Where the others are, as the last one said. */
  #others: readonly string[] = [];
  #url: string;
  /** A network that let one WebSocket through does not block them. */
  #hasOpened = false;
  #ahead: Promise<Dialled | undefined> | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.#url = options.url;
  }

  /** Where signaling is: the process that answered last, the one that the page came from, the others. */
  get urls(): readonly string[] {
    return [...new Set([this.#url, this.#options.url, ...this.#others])];
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

  /** At the last process first, then at the others, one after the other. */
  async #open(device: SigningKey): Promise<Dialled> {
    let failure: ClusterError | undefined;
    for (const url of this.urls) {
      try {
        return await this.#openAt(url, device);
      } catch (thrown) {
        failure ??= ClusterError.of(thrown);
        if (!ELSEWHERE.has(ClusterError.of(thrown).code)) throw thrown;
      }
    }
    throw await this.#why(failure ?? new ClusterError('DISCONNECTED'));
  }

  async #why(failure: ClusterError): Promise<ClusterError> {
    if (this.#hasOpened || failure.code !== 'DISCONNECTED') return failure;
    const { url, answers = answersByHttp } = this.#options;
    return (await answers(url)) ? new ClusterError('WEBSOCKET_BLOCKED', undefined, { cause: failure }) : failure;
  }

  async #openAt(url: string, device: SigningKey): Promise<Dialled> {
    const { pin, clock, open = openWire } = this.#options;
    const key = device.publicKey;
    const known = this.#last.get(url);
    const last = known && equalBytes(known.key, key) ? known : { key, memory: {} };
    this.#last.set(url, last);
    // Those that were there before may be back when this one goes.
    const others = (told: readonly string[]): void =>
      void (this.#others = [...new Set([...told, ...this.#others])].slice(0, OTHERS_MAX));
    // Whoever gave no pin holds on to the root of the first: all processes of a cluster are under one.
    const wire = await open({ url, pin, pinOf: this.#options.url, clock, device, memory: last.memory, others });
    this.#url = url;
    this.#hasOpened = true;
    return { key, wire };
  }
}
