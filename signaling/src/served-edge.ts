/**
 * Another signaling process whose sockets have Peers in Rooms that are owned here: what they ask is done, what they are told goes over
 * one Channel, and what many of them are told goes once (ADR 0014, ADR 0029). When the Channel closes they are away, not gone.
 */
import { eventOf, type Channel, type EventKind } from '@veilcast/control';
import { decodeContent, encodeContent } from '@veilcast/e2ee/channel';
import { ClusterError, ErrorCode, PeerId, parseRequest, RoomId } from '@veilcast/protocol';
import { failureOf, readSitting } from './passed-on.ts';
import type { Owner, PeerLink, Seat, Shared } from './seat.ts';

/** Sockets of one other process. More: more memory that it can take here. */
const PLACES_MAX = 20_000;

interface Place {
  readonly number: bigint;
  open: boolean;
  seat: Seat | undefined;
  /** Which key of the Room went to it last. */
  keyNumber: number;
}

/** What many of them are told. Sealed and with its key at once: the Room may have another key by the time that it is sent. */
interface Batch {
  readonly shared: Shared;
  readonly record: Uint8Array;
  readonly keyMessage: Uint8Array;
  readonly places: Place[];
}

export interface ServedEdgeOptions {
  readonly channel: Channel;
  /** The owner of a Room, if it is here. @throws ClusterError NOT_OWNER */
  readonly ownerOf: (roomId: RoomId, isKnown: boolean) => Promise<Owner>;
  readonly report: (error: unknown) => void;
}

export class ServedEdge {
  readonly #options: ServedEdgeOptions;
  readonly #places = new Map<bigint, Place>();
  #batch: Batch | undefined;

  constructor(options: ServedEdgeOptions) {
    this.#options = options;
    options.channel.onEvent((event) => this.#take(event));
    options.channel.onClose(() => this.#closed());
  }

  #take(event: EventKind): void {
    switch (event.case) {
      case 'peerSits': {
        const { link, roomId, content } = event.value;
        void this.#seat(link, async (place) => {
          const { entrant, body } = readSitting(content);
          const owner = await this.#options.ownerOf(RoomId.parse(roomId), true);
          return owner.sit(this.#linkOf(place), entrant, body);
        });
        return;
      }
      case 'peerResumes': {
        const { link, roomId, peerId, deviceKey, seq } = event.value;
        void this.#seat(link, async (place) => {
          const owner = await this.#options.ownerOf(RoomId.parse(roomId), false);
          return owner.resume(this.#linkOf(place), { peerId: PeerId.parse(peerId), deviceKey, seq: Number(seq) });
        });
        return;
      }
      case 'peerAsks':
        void this.#ask(event.value.link, event.value.id, event.value.request);
        return;
      case 'peerGoes': {
        const { link, away, code } = event.value;
        const place = this.#remove(link);
        if (away) place?.seat?.away();
        else place?.seat?.lost(ErrorCode.catch('DISCONNECTED').parse(code));
        return;
      }
      default:
        this.#options.report(new ClusterError('UNSUPPORTED', `${event.case} is not for the owner of Rooms`));
    }
  }

  async #seat(number: bigint, step: (place: Place) => Promise<Seat>): Promise<void> {
    const place: Place = { number, open: true, seat: undefined, keyNumber: 0 };
    try {
      if (this.#places.has(number)) throw new ClusterError('MALFORMED', 'a link that is in use');
      if (this.#places.size >= PLACES_MAX) throw new ClusterError('OVERLOADED');
      this.#places.set(number, place);
      const seat = await step(place);
      // It went, or was ended, while the Room was being found.
      if (!place.open) return seat.away();
      place.seat = seat;
      this.#emit(eventOf('peerSeated', { link: number }));
    } catch (thrown) {
      if (!(thrown instanceof ClusterError)) this.#options.report(thrown);
      if (this.#remove(number)) this.#emit(eventOf('peerEnded', { link: number, failure: failureOf(thrown) }));
    }
  }

  async #ask(link: bigint, id: bigint, content: Uint8Array): Promise<void> {
    const answer = (fields: { result?: Uint8Array; failure?: ReturnType<typeof failureOf> }): void =>
      this.#emit(eventOf('peerAnswered', { link, id, ...fields }));
    let answered = false;
    try {
      const { seat } = this.#places.get(link) ?? {};
      if (seat === undefined) throw new ClusterError('CHANNEL_CLOSED');
      const request = parseRequest({ ...(decodeContent(content) as object), id: Number(id) });
      await seat.ask(Number(id), request, (result) => {
        answered = true;
        answer({ result: encodeContent(result) });
      });
    } catch (thrown) {
      if (!(thrown instanceof ClusterError)) this.#options.report(thrown);
      if (!answered) answer({ failure: failureOf(thrown) });
    }
  }

  #linkOf(place: Place): PeerLink {
    const link = place.number;
    const told = (seq: number, event: object | undefined): void => {
      const content = event === undefined ? new Uint8Array() : encodeContent(event);
      if (place.open) this.#emit(eventOf('peerTold', { link, seq: BigInt(seq), event: content }));
    };
    const ended = (failure: ReturnType<typeof failureOf> | undefined): void => {
      if (this.#remove(link)) this.#emit(eventOf('peerEnded', failure === undefined ? { link } : { link, failure }));
    };
    return {
      get open() {
        return place.open;
      },
      admitted: (admission) => told(0, { name: 'admitted', body: { admission } }),
      waiting: () => told(0, undefined),
      tell: (seq, { name, body }) => told(seq, { name, body }),
      tellShared: (_seq, shared) => this.#tellShared(place, shared),
      end: (error) => ended(failureOf(error)),
      orphaned: () => ended(undefined),
    };
  }

  /** Collected until something else is said, or the turn ends. */
  #tellShared(place: Place, shared: Shared): void {
    if (!place.open) return;
    if (this.#batch?.shared !== shared) {
      this.#flush();
      this.#batch = { shared, record: shared.record(), keyMessage: shared.keyMessage(), places: [] };
      queueMicrotask(() => this.#flush());
    }
    this.#batch?.places.push(place);
  }

  #flush(): void {
    const batch = this.#batch;
    this.#batch = undefined;
    if (batch === undefined) return;
    const { record, keyMessage, places } = batch;
    const { keyNumber } = batch.shared;
    const hasKey = places.every((place) => place.keyNumber === keyNumber);
    for (const place of places) place.keyNumber = keyNumber;
    this.#send(
      eventOf('peersTold', {
        links: places.map(({ number }) => number),
        record,
        keyNumber: BigInt(keyNumber),
        keyMessage: hasKey ? new Uint8Array() : keyMessage,
      }),
    );
  }

  #emit(event: EventKind): void {
    this.#flush();
    this.#send(event);
  }

  /** A process that does not read is cut: it comes back and says what it has. */
  #send(event: EventKind): void {
    try {
      this.#options.channel.emit(event);
    } catch (thrown) {
      if (ClusterError.of(thrown).code !== 'CHANNEL_CLOSED') this.#options.channel.close();
    }
  }

  #remove(number: bigint): Place | undefined {
    const place = this.#places.get(number);
    if (place !== undefined) place.open = false;
    this.#places.delete(number);
    return place;
  }

  #closed(): void {
    const places = [...this.#places.values()];
    this.#places.clear();
    for (const place of places) place.open = false;
    for (const { seat } of places) seat?.away();
  }
}
