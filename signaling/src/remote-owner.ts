/**
 * A Room's owner at the other end of a Channel: what a socket here asks goes there, what is told there comes here (ADR 0029).
 * When the Channel closes, everybody who sat there is orphaned.
 */
import { eventOf, type Channel, type EventKind } from '@veilcast/control';
import { decodeContent, encodeContent } from '@veilcast/e2ee/channel';
import {
  ClusterError,
  parseEvent,
  type AnyRequest,
  type ErrorCode,
  type RequestBody,
  type RoomId,
} from '@veilcast/protocol';
import type { Entrant } from './identities.ts';
import { errorOf } from './passed-on.ts';
import type { Comeback, Owner, PeerLink, Seat } from './seat.ts';

interface Asked {
  readonly reply: (result: unknown) => void;
  readonly done: () => void;
  readonly failed: (error: ClusterError) => void;
}

interface Place {
  readonly link: PeerLink;
  readonly asked: Map<number, Asked>;
  seated: ((seat: Seat | ClusterError) => void) | undefined;
}

/** All Rooms of one other process, over one Channel to it. */
export class RemoteOwners {
  readonly #channel: Channel;
  readonly #report: (error: unknown) => void;
  readonly #places = new Map<number, Place>();
  #lastLink = 0;

  constructor(channel: Channel, report: (error: unknown) => void) {
    this.#channel = channel;
    this.#report = report;
    channel.onEvent((event) => this.#take(event));
    channel.onClose(() => this.#closed());
  }

  of(roomId: RoomId): Owner {
    return {
      sit: (link, entrant, body) => this.#sit(roomId, link, entrant, body),
      resume: (link, comeback) => this.#resume(roomId, link, comeback),
    };
  }

  #sit(roomId: RoomId, link: PeerLink, entrant: Entrant, body: RequestBody<'join'>): Promise<Seat> {
    const content = encodeContent({ entrant, body });
    return this.#takePlace(link, (number) => eventOf('peerSits', { link: number, roomId, content }));
  }

  #resume(roomId: RoomId, link: PeerLink, { peerId, deviceKey, seq }: Comeback): Promise<Seat> {
    const fields = { roomId, peerId, deviceKey: deviceKey.slice(), seq: BigInt(seq) };
    return this.#takePlace(link, (number) => eventOf('peerResumes', { link: number, ...fields }));
  }

  async #takePlace(link: PeerLink, event: (number: bigint) => EventKind): Promise<Seat> {
    const number = (this.#lastLink += 1);
    const place: Place = { link, asked: new Map(), seated: undefined };
    this.#channel.emit(event(BigInt(number)));
    this.#places.set(number, place);
    const seat = await new Promise<Seat | ClusterError>((resolve) => (place.seated = resolve));
    if (seat instanceof ClusterError) throw seat;
    return seat;
  }

  #seatOf(number: number, place: Place): Seat {
    const link = BigInt(number);
    const go = (away: boolean, code: ErrorCode | ''): void => {
      if (!this.#places.delete(number)) return;
      // A Channel that takes nothing more ends by itself, and its other end finds nobody here.
      this.#tryEmit(eventOf('peerGoes', { link, away, code }));
    };
    return {
      ask: (id, { name, body }: AnyRequest, reply) =>
        new Promise<void>((done, failed) => {
          if (this.#places.get(number) !== place) return failed(new ClusterError('CHANNEL_CLOSED'));
          place.asked.set(id, { reply, done, failed });
          this.#channel.emit(eventOf('peerAsks', { link, id: BigInt(id), request: encodeContent({ name, body }) }));
        }),
      lost: (code) => go(false, code),
      away: () => go(true, ''),
    };
  }

  #tryEmit(event: EventKind): void {
    try {
      this.#channel.emit(event);
    } catch (thrown) {
      if (ClusterError.of(thrown).code === 'OVERLOADED') this.#channel.close();
    }
  }

  #take(event: EventKind): void {
    switch (event.case) {
      case 'peerSeated': {
        const number = Number(event.value.link);
        const place = this.#places.get(number);
        place?.seated?.(this.#seatOf(number, place));
        if (place !== undefined) place.seated = undefined;
        return;
      }
      case 'peerTold':
        return this.#told(event.value.link, Number(event.value.seq), event.value.event);
      case 'peersTold': {
        const { links, record, keyNumber, keyMessage } = event.value;
        const shared = { record: () => record, keyNumber: Number(keyNumber), keyMessage: () => keyMessage };
        for (const link of links) this.#places.get(Number(link))?.link.tellShared(0, shared);
        return;
      }
      case 'peerAnswered': {
        const { link, id, result, failure } = event.value;
        const { asked } = this.#places.get(Number(link)) ?? {};
        const one = asked?.get(Number(id));
        asked?.delete(Number(id));
        if (failure !== undefined) return one?.failed(errorOf(failure));
        one?.reply(decodeContent(result));
        return one?.done();
      }
      case 'peerEnded': {
        const place = this.#remove(Number(event.value.link));
        return place && end(place, event.value.failure && errorOf(event.value.failure));
      }
      default:
        return this.#report(new ClusterError('UNSUPPORTED', `${event.case} is not for signaling`));
    }
  }

  #told(link: bigint, seq: number, content: Uint8Array): void {
    const to = this.#places.get(Number(link))?.link;
    if (seq === 0 && content.length === 0) return to?.waiting();
    const told = parseEvent({ ...(decodeContent(content) as object), seq: Math.max(1, seq) });
    if (seq > 0) to?.tell(seq, told);
    else if (told.name === 'admitted') to?.admitted(told.body.admission);
  }

  #remove(number: number): Place | undefined {
    const place = this.#places.get(number);
    this.#places.delete(number);
    return place;
  }

  #closed(): void {
    const places = [...this.#places.values()];
    this.#places.clear();
    for (const place of places) end(place, undefined);
  }
}

/** Without an error the next owner is to be found. */
function end({ link, asked, seated }: Place, error: ClusterError | undefined): void {
  if (seated !== undefined) seated(error ?? new ClusterError('CHANNEL_CLOSED'));
  else if (error === undefined) link.orphaned();
  else link.end(error);
  for (const { failed } of asked.values()) failed(new ClusterError('CHANNEL_CLOSED'));
  asked.clear();
}
