/**
 * What a socket is between a simulated Peer and signaling: messages in order, each after a while, parsed as a socket parses
 * them; a vanished client is noticed late, a dead server at once.
 */
import {
  ClusterError,
  parseEvent,
  parseRequest,
  type Admission,
  type AnyEvent,
  type Clock,
  type RequestInput,
  type RequestName,
  type RequestResult,
} from '@veilcast/protocol';
import type { SeededRandom } from '@veilcast/testkit';
import { BroadcastOpener, decodeContent } from '@veilcast/e2ee/channel';
import { nodeCipher, type PeerLink, type Seat, type Shared } from '@veilcast/signaling/rooms';
import type { Site } from './site.ts';

/** One way, with every twentieth message sent again. */
const WAY_MS = 30;
const RESEND_MS = 200;
const LOSS = 0.05;
/** Share of requests that come twice, under one id. */
const TWICE = 0.03;
/** After how long without a sign of life signaling takes a client for gone. */
const NOTICED_MS = { least: 4_000, more: 7_000 };

/** One direction: nothing overtakes. */
class Line {
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  #last = 0;

  constructor(clock: Clock, random: SeededRandom) {
    this.#clock = clock;
    this.#random = random;
  }

  send(run: () => void): void {
    const now = this.#clock.now();
    const wait = this.#random.float() * WAY_MS + (this.#random.float() < LOSS ? RESEND_MS : 0);
    this.#last = Math.max(this.#last, now + wait);
    this.#clock.after(this.#last - now, run);
  }
}

export interface Caller {
  event(event: AnyEvent): void;
  /** Once, and not after `hangUp` or `vanish`. */
  lost(error: ClusterError): void;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly site: Site;
  readonly caller: Caller;
}

type Settle = { readonly resolve: (result: unknown) => void; readonly reject: (error: ClusterError) => void };

export class Connection implements PeerLink {
  readonly #options: ConnectionOptions;
  readonly #up: Line;
  readonly #down: Line;
  readonly #waiting = new Set<Settle>();
  #client: 'on' | 'off' = 'on';
  #server: 'on' | 'off' = 'on';
  #seat: Seat | undefined;
  #join: ((result: RequestResult<'join'> | ClusterError) => void) | undefined;
  #lastId = 0;
  readonly #broadcasts = new BroadcastOpener(nodeCipher);
  #keyNumber = 0;

  constructor(options: ConnectionOptions) {
    const { clock, random, site } = options;
    this.#options = options;
    this.#up = new Line(clock, random);
    this.#down = new Line(clock, random);
    site.connections.add(this);
  }

  // The client's side.

  /** @throws ClusterError */
  async request<N extends RequestName>(name: N, body: RequestInput<N>): Promise<RequestResult<N>> {
    if (this.#client === 'off') throw new ClusterError('CLOSED');
    const id = (this.#lastId += 1);
    return new Promise<RequestResult<N>>((resolve, reject) => {
      const settle: Settle = { resolve: resolve as Settle['resolve'], reject };
      this.#waiting.add(settle);
      const send = (): void =>
        this.#up.send(() => this.#options.site.whenRunning(() => this.#serve({ id, name, body }, settle)));
      send();
      // A socket sits down once.
      if (name !== 'join' && this.#options.random.float() < TWICE) send();
    });
  }

  /** The client closes the socket. */
  hangUp(): void {
    if (this.#client === 'off') return;
    this.#goOff(new ClusterError('CLOSED'));
    this.#up.send(() => this.#options.site.whenRunning(() => this.#dropped()));
  }

  /** The client is gone and says nothing. */
  vanish(): void {
    if (this.#client === 'off') return;
    this.#goOff(new ClusterError('CLOSED'));
    const { clock, random, site } = this.#options;
    const wait = NOTICED_MS.least + random.float() * NOTICED_MS.more;
    clock.after(wait, () => site.whenRunning(() => this.#dropped()));
  }

  // Signaling's side.

  get open(): boolean {
    return this.#server === 'on';
  }

  admitted(admission: Admission): void {
    this.#join?.({ status: 'admitted', admission });
    this.#join = undefined;
  }

  waiting(): void {
    this.#join?.({ status: 'waiting' });
    this.#join = undefined;
  }

  tellShared(seq: number, { record, keyNumber, keyMessage }: Shared): void {
    if (this.#server === 'off') return;
    const key = keyNumber === this.#keyNumber ? undefined : keyMessage();
    this.#keyNumber = keyNumber;
    const sealed = record();
    this.#down.send(() => this.#opened(seq, key, sealed));
  }

  tell(seq: number, event: AnyEvent): void {
    if (this.#server === 'off') return;
    const told = parseEvent({ seq, name: event.name, body: event.body });
    this.#down.send(() => {
      if (this.#client === 'on') this.#options.caller.event(told);
    });
  }

  orphaned(): void {
    this.end(new ClusterError('CHANNEL_CLOSED'));
  }

  end(error: ClusterError): void {
    const join = this.#join;
    this.#join = undefined;
    if (join !== undefined) join(error);
    this.#close(error);
  }

  /** Signaling died, or closed the socket. */
  cut(): void {
    this.#close(new ClusterError('DISCONNECTED'));
  }

  #close(error: ClusterError): void {
    if (this.#server === 'off') return;
    this.#server = 'off';
    this.#seat = undefined;
    this.#options.site.connections.delete(this);
    this.#down.send(() => {
      if (this.#client === 'off') return;
      this.#goOff(error);
      this.#options.caller.lost(error);
    });
  }

  /** A client that cannot open what comes gives its socket up. */
  #opened(seq: number, key: Uint8Array | undefined, sealed: Uint8Array): void {
    if (this.#client === 'off') return;
    const { caller, site } = this.#options;
    try {
      if (key !== undefined) this.#broadcasts.use(key);
      const { name, body } = decodeContent(this.#broadcasts.open(sealed)) as AnyEvent;
      caller.event(parseEvent({ seq, name, body }));
    } catch (thrown) {
      const error = ClusterError.of(thrown);
      this.#goOff(error);
      this.#up.send(() => site.whenRunning(() => this.#dropped()));
      caller.lost(error);
    }
  }

  #goOff(error: ClusterError): void {
    this.#client = 'off';
    for (const { reject } of this.#waiting) reject(error);
    this.#waiting.clear();
  }

  #dropped(): void {
    if (this.#server === 'off') return;
    this.#server = 'off';
    this.#join = undefined;
    this.#options.site.connections.delete(this);
    this.#seat?.lost('DISCONNECTED');
    this.#seat = undefined;
  }

  #serve(raw: { id: number; name: RequestName; body: unknown }, settle: Settle): void {
    if (this.#server === 'off') return;
    const request = parseRequest(raw);
    if (request.name === 'join') return this.#sit(request.body, settle);
    if (this.#seat === undefined) return this.#answer(settle, new ClusterError('NOT_JOINED'));
    this.#seat
      .ask(raw.id, request, (result) => this.#answer(settle, result))
      .then(
        () => request.name === 'leave' && this.cut(),
        (thrown: unknown) => this.#answer(settle, ClusterError.of(thrown)),
      );
  }

  #sit(body: Parameters<Site['sit']>[1], settle: Settle): void {
    this.#join = (result) => this.#answer(settle, result);
    this.#options.site.sit(this, body).then(
      (seat) => {
        if (this.#server === 'off') seat.lost('DISCONNECTED');
        else this.#seat = seat;
      },
      (thrown: unknown) => {
        this.#join = undefined;
        this.#answer(settle, ClusterError.of(thrown));
      },
    );
  }

  #answer(settle: Settle, result: unknown): void {
    this.#down.send(() => {
      if (!this.#waiting.delete(settle)) return;
      if (result instanceof ClusterError) settle.reject(result);
      else settle.resolve(result);
    });
  }
}
