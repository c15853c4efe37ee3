/**
 * The Seat before this one, whose signaling is over and whose media goes on (ADR 0041). What it shows is shown until the same person comes
 * by the new Seat, and what it sends is sent until the others have had the time to come over too.
 */
import type { ClusterError, Clock, ErrorCode, ParticipantId, PeerId, ProducerView } from '@veilcast/protocol';
import type { Receiving } from './media/receiving.ts';

/** So long after the last of the former Room has come over it sees us by the new way. Longer: pictures are encoded twice for nothing. */
const OVER_AFTER_MS = 3_000;
/** Longest wait for them: somebody may not come back. Longer: who has gone stands still. Shorter: a crowd at the door loses its pictures. */
const OVER_MAX_MS = 20_000;

/** Signaling was lost, and the Nodes know nothing of it. */
const GO_ON: ReadonlySet<ErrorCode> = new Set(['DISCONNECTED', 'CHANNEL_CLOSED', 'NOT_OWNER']);

/** Whether media goes on where a Seat was lost for this reason. */
export function goesOn(lostWith: ClusterError | undefined): boolean {
  return lostWith !== undefined && GO_ON.has(lostWith.code);
}

export interface FormerSeatOptions {
  readonly clock: Clock;
  /** The others in the Room, as this Seat knew them. */
  readonly participants: ReadonlyMap<PeerId, ParticipantId>;
  readonly receiving: Receiving;
  /** Once: nothing of it is needed any more. */
  readonly over: () => void;
}

export class FormerSeat {
  readonly receiving: Receiving;
  readonly #options: FormerSeatOptions;
  /** Who is who: a Peer of the new Seat, and the Peer that it was. */
  readonly #same = new Map<PeerId, PeerId>();
  #stop: () => void;
  #isOver = false;

  constructor(options: FormerSeatOptions) {
    this.#options = options;
    this.receiving = options.receiving;
    this.receiving.retire();
    this.#stop = options.clock.after(OVER_MAX_MS, () => this.end());
  }

  /** A Peer is here. Of somebody with two windows each stands for one of them. */
  came(peerId: PeerId, participantId: ParticipantId): void {
    const { participants, clock } = this.#options;
    if (this.#isOver || this.#same.has(peerId)) return;
    const taken = new Set(this.#same.values());
    const was = [...participants].find(([id, person]) => person === participantId && !taken.has(id))?.[0];
    if (was === undefined) return;
    this.#same.set(peerId, was);
    if (this.#same.size < participants.size) return;
    this.#stop();
    this.#stop = clock.after(OVER_AFTER_MS, () => this.end());
  }

  /** Who came over and is out again, by itself or put out, is to get nothing more by the old way either. */
  went(peerId: PeerId): void {
    if (this.#same.has(peerId)) this.end();
  }

  /** Which Peer it was; undefined: somebody new. */
  readonly formerOf = (peerId: PeerId): PeerId | undefined => this.#same.get(peerId);

  /** The same, said to take the place of what is shown of the same person and Source. */
  inPlace(producer: ProducerView): ProducerView {
    const was = this.#same.get(producer.peerId);
    if (this.#isOver || producer.replaces !== undefined || was === undefined) return producer;
    const shown = this.receiving.list().find(({ peerId, source }) => peerId === was && source === producer.source);
    return shown ? { ...producer, replaces: shown.producerId } : producer;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    this.#options.over();
  }
}
