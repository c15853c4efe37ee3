/**
 * One socket's place in a Room, wherever the Room is owned. It stands between the socket and the owner: passes requests on and events
 * back, and when the owner goes it finds the next one, says which event was the last, and asks again what was not answered, under the
 * same ids. The client notices a pause (ADR 0029).
 */
import {
  ClusterError,
  type AnyEvent,
  type AnyRequest,
  type Clock,
  type ErrorCode,
  type PeerId,
  type RequestBody,
} from '@veilcast/protocol';
import type { Entrant } from './identities.ts';
import type { Owner, PeerLink, Seat, Comeback } from './seat.ts';

/** Between two tries. Shorter: the store is asked more often by every socket of a dead owner. */
const AGAIN_MS = 150;

/** The owner is not there, or is none, or the store that says who is it is away: there will be one. */
const SEARCH_ON: ReadonlySet<ErrorCode> = new Set([
  'NOT_OWNER',
  'CHANNEL_CLOSED',
  'NODE_UNREACHABLE',
  'DEADLINE',
  'STORE_UNAVAILABLE',
]);

/** What an owner says to a request when it is one no more. */
const NOT_HERE: ReadonlySet<ErrorCode> = new Set(['NOT_OWNER', 'CHANNEL_CLOSED']);

interface Pending {
  readonly request: AnyRequest;
  readonly reply: (result: unknown) => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
  /** The client has its answer: what happens to the request from here on is no failure of it. */
  answered: boolean;
}

export interface AttachmentOptions {
  readonly clock: Clock;
  /** Finds, or becomes, the owner of the Room. @throws ClusterError */
  readonly find: (isKnown: boolean) => Promise<Owner>;
  readonly deviceKey: Uint8Array;
  /** Longest search for an owner. */
  readonly searchMs: number;
}

export class Attachment implements Seat {
  readonly #options: AttachmentOptions;
  readonly #socket: PeerLink;
  readonly #pending = new Map<number, Pending>();
  #owner: Seat | undefined;
  #peerId: PeerId | undefined;
  #seq = 0;
  /** Counts owners: what a former one still says is not heard. */
  #life = 0;
  #over = false;

  constructor(socket: PeerLink, options: AttachmentOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** @throws ClusterError */
  async sit(entrant: Entrant, body: RequestBody<'join'>): Promise<this> {
    await this.#reach((owner, link) => owner.sit(link, entrant, body), true);
    return this;
  }

  /** @throws ClusterError */
  async resume({ peerId, seq }: Pick<Comeback, 'peerId' | 'seq'>): Promise<this> {
    this.#peerId = peerId;
    this.#seq = seq;
    await this.#reach(this.#comeBack, false);
    return this;
  }

  async ask(id: number, request: AnyRequest, reply: (result: unknown) => void): Promise<void> {
    await new Promise<void>((done, failed) => {
      this.#pending.set(id, { request, reply, done, failed, answered: false });
      this.#forward(id);
    });
  }

  lost(code: ErrorCode): void {
    this.#close()?.lost(code);
  }

  away(): void {
    this.#close()?.away();
  }

  readonly #comeBack = (owner: Owner, link: PeerLink): Promise<Seat> => {
    if (this.#peerId === undefined) throw new ClusterError('NOT_JOINED');
    const { deviceKey } = this.#options;
    return owner.resume(link, { peerId: this.#peerId, deviceKey, seq: this.#seq });
  };

  /** `isKnown`: the Room is known to be one, and may be taken over. */
  async #reach(step: (owner: Owner, link: PeerLink) => Promise<Seat>, isKnown: boolean): Promise<void> {
    const { clock, find, searchMs } = this.#options;
    const until = clock.now() + searchMs;
    for (;;) {
      try {
        const owner = await find(isKnown);
        const seat = await step(owner, this.#linkOf((this.#life += 1)));
        if (this.#over) return seat.away();
        this.#owner = seat;
        for (const id of [...this.#pending.keys()].toSorted((a, b) => a - b)) this.#forward(id);
        return;
      } catch (thrown) {
        const error = ClusterError.of(thrown);
        if (this.#over) throw error;
        if (!(thrown instanceof ClusterError) || !SEARCH_ON.has(error.code) || clock.now() >= until) throw thrown;
      }
      await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
    }
  }

  #forward(id: number): void {
    const owner = this.#owner;
    const pending = this.#pending.get(id);
    if (owner === undefined || pending === undefined) return;
    const settled = (): boolean => this.#pending.get(id) === pending && this.#pending.delete(id);
    owner
      .ask(id, pending.request, (result) => {
        if (this.#pending.get(id) !== pending) return;
        pending.answered = true;
        pending.reply(result);
      })
      .then(
        () => settled() && pending.done(),
        (thrown: unknown) => {
          // The next owner is asked.
          if (!this.#over && !pending.answered && NOT_HERE.has(ClusterError.of(thrown).code)) return;
          if (settled()) pending.failed(thrown);
        },
      );
  }

  #linkOf(life: number): PeerLink {
    const socket = this.#socket;
    const isCurrent = (): boolean => life === this.#life && !this.#over;
    const counted = (seq: number): boolean => {
      if (isCurrent()) this.#seq = seq;
      return isCurrent();
    };
    return {
      get open() {
        return isCurrent() && socket.open;
      },
      admitted: (admission) => {
        if (!isCurrent()) return;
        this.#peerId = admission.peerId;
        socket.admitted(admission);
      },
      waiting: () => {
        if (isCurrent()) socket.waiting();
      },
      tell: (seq: number, event: AnyEvent) => {
        if (!counted(seq)) return;
        if (event.name === 'admitted') this.#peerId = event.body.admission.peerId;
        socket.tell(seq, event);
      },
      // Over a Channel it has no number of its own: it is the next.
      tellShared: (_seq, shared) => {
        if (counted(this.#seq + 1)) socket.tellShared(this.#seq, shared);
      },
      end: (error) => {
        if (!isCurrent()) return;
        this.#close();
        socket.end(error);
      },
      orphaned: () => {
        if (isCurrent()) void this.#orphaned();
      },
    };
  }

  async #orphaned(): Promise<void> {
    this.#life += 1;
    this.#owner = undefined;
    try {
      await this.#reach(this.#comeBack, true);
    } catch {
      if (this.#over) return;
      this.#close();
      // The client is to join anew: here or elsewhere.
      this.#socket.end(new ClusterError('NOT_OWNER'));
    }
  }

  #close(): Seat | undefined {
    this.#over = true;
    const owner = this.#owner;
    this.#owner = undefined;
    for (const { answered, done, failed } of this.#pending.values()) {
      if (answered) done();
      else failed(new ClusterError('CLOSED'));
    }
    this.#pending.clear();
    return owner;
  }
}
