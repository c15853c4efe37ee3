/**
 * Who sits in one Room, through which socket, and what was made for them. A Peer whose socket broke is away: its place is kept for a
 * while, what it is told is kept too, and the same device may take it again through another socket (ADR 0029).
 */
import { ClusterError, type AnyRequest, type Clock, type ErrorCode, type PeerId } from '@veilcast/protocol';
import { sameBytes } from './bytes.ts';
import type { Entrant, Proven } from './identities.ts';
import { AWAY_MS, Outbox } from './outbox.ts';
import type { Arrival } from './placing.ts';
import type { Comeback, PeerLink, Seat } from './seat.ts';
import { newSeated, type Seated } from './seated.ts';

/** Peers whose attestations are kept: those who have gone may be in the group yet, and newcomers must check them. 10 kB each. */
const ATTESTED_MAX = 512;

export interface SeatingOptions {
  readonly clock: Clock;
  /** The Peer is gone for good. */
  readonly lost: (peerId: PeerId, code: ErrorCode) => void;
  /** Carries out a request. @throws ClusterError */
  readonly run: (peerId: PeerId, request: AnyRequest, reply: (result: unknown) => void) => Promise<void>;
}

export class Seating {
  readonly #options: SeatingOptions;
  readonly #seated = new Map<PeerId, Seated>();
  readonly #proven = new Map<PeerId, Proven>();

  constructor(options: SeatingOptions) {
    this.#options = options;
  }

  get(peerId: PeerId): Seated | undefined {
    return this.#seated.get(peerId);
  }

  all(): readonly (readonly [PeerId, Seated])[] {
    return [...this.#seated];
  }

  links(): readonly PeerLink[] {
    return [...this.#seated.values()].flatMap(({ outbox }) => outbox.link ?? []);
  }

  /** What shows whose device a Peer is or was; undefined for somebody who never came. */
  provenOf(peerId: PeerId): Proven | undefined {
    return this.#proven.get(peerId);
  }

  add(link: PeerLink, arrival: Arrival): void {
    this.#seated.set(arrival.peerId, newSeated(new Outbox(link, this.#options.clock), arrival));
  }

  /** The Room has let it in, or to its door. */
  welcome(link: PeerLink, { peerId, entrant }: Arrival): Seat {
    this.#keepProven(peerId, entrant.proven);
    this.#replaceAway(peerId, entrant);
    return this.#seatOf(peerId, link);
  }

  /** A Peer's next socket. @throws ClusterError NOT_JOINED */
  resume(link: PeerLink, { peerId, deviceKey, seq }: Comeback): Seat {
    const seated = this.#seated.get(peerId);
    const isIts = seated?.outbox.isAdmitted === true && sameBytes(seated.arrival.entrant.proven.key, deviceKey);
    if (!isIts) throw new ClusterError('NOT_JOINED');
    const former = seated.outbox.link;
    if (!seated.outbox.attach(link, seq)) throw new ClusterError('NOT_JOINED');
    seated.stopAway();
    // Half open, most of the time: nobody reads there any more.
    former?.end(new ClusterError('DISCONNECTED'));
    return this.#seatOf(peerId, link);
  }

  remove(peerId: PeerId): Seated | undefined {
    const seated = this.#seated.get(peerId);
    this.#seated.delete(peerId);
    seated?.stopAway();
    seated?.gone.abort(new ClusterError('CLOSED'));
    return seated;
  }

  #seatOf(peerId: PeerId, link: PeerLink): Seat {
    /** A former socket has no say. */
    const present = (): Seated | undefined => {
      const seated = this.#seated.get(peerId);
      return seated?.outbox.link === link ? seated : undefined;
    };
    const lost = (code: ErrorCode): void => {
      if (present()) this.#options.lost(peerId, code);
    };
    return {
      ask: async (id, request, reply) => {
        const run = (replied: typeof reply) => this.#options.run(peerId, request, replied);
        const { answers } = this.#seated.get(peerId) ?? {};
        await (answers === undefined ? run(reply) : answers.once(id, run, reply));
      },
      lost,
      away: () => {
        const seated = present();
        // Who does not know its id yet cannot say who comes back.
        if (seated?.outbox.isAdmitted !== true) return lost('DISCONNECTED');
        seated.outbox.detach();
        seated.stopAway = this.#options.clock.after(AWAY_MS, () => this.#options.lost(peerId, 'DISCONNECTED'));
      },
    };
  }

  /** Who comes in anew has given up what was waited for. */
  #replaceAway(by: PeerId, { sub, proven }: Entrant): void {
    for (const [peerId, { arrival, outbox }] of this.#seated) {
      const { entrant } = arrival;
      if (peerId === by || outbox.link !== undefined || entrant.sub !== sub) continue;
      if (sameBytes(entrant.proven.key, proven.key)) this.#options.lost(peerId, 'DISCONNECTED');
    }
  }

  #keepProven(peerId: PeerId, proven: Proven): void {
    this.#proven.set(peerId, proven);
    if (this.#proven.size <= ATTESTED_MAX) return;
    const oldest = [...this.#proven.keys()].find((one) => !this.#seated.has(one));
    if (oldest !== undefined) this.#proven.delete(oldest);
  }
}
