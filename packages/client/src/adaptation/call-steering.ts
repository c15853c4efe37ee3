/** Steering of one call: hands it what the call knows of its people, and carries what it decides to where that is done. What goes directly is not steered. */
import type { Clock, PeerId } from '@veilcast/protocol';
import type { DirectCall } from '../direct/direct-call.ts';
import type { RemoteTracks } from '../received.ts';
import type { Seat } from '../seat.ts';
import type { SnapshotStore } from '../snapshot.ts';
import type { Talk } from '../talk.ts';
import { Steering, type AdaptationReport } from './steering.ts';

/** What a picture counts as of which the application has not said how large it shows it: its middle layer. */
const UNSAID = { width: 640, height: 360, visible: true } as const;

export interface CallSteeringOutside {
  readonly clock: Clock;
  readonly store: SnapshotStore;
  readonly talk: Talk;
  readonly remote: RemoteTracks;
  readonly direct: DirectCall;
  seat(): Seat | undefined;
}

export class CallSteering {
  readonly #outside: CallSteeringOutside;
  readonly #steering: Steering;
  /** By who hears us: the sound that they can take. */
  readonly #asked = new Map<PeerId, number>();
  readonly #stopHearing: () => void;

  constructor(outside: CallSteeringOutside) {
    this.#outside = outside;
    const { clock, store, talk, remote, direct } = outside;
    this.#stopHearing = talk.on('sound', ({ most }, { by }) => {
      if (most === null) this.#asked.delete(by);
      else this.#asked.set(by, most);
      this.#steering.asked();
    });
    this.#steering = new Steering({
      clock,
      media: () => (store.snapshot.direct ? undefined : outside.seat()?.media),
      wanted: () => remote.wanted().length,
      asked: () => this.#leastAsked(),
      ask: (most) => void talk.say('sound', { most: most ?? null }).catch(() => undefined),
      limitReceived: (layersMax) => {
        remote.hold(layersMax === null);
        direct.limitTiles(layersMax, () => remote.videos().map((producerId) => ({ producerId, ...UNSAID })));
      },
      stands: (network) => store.set({ network }),
    });
  }

  report(): AdaptationReport | null {
    return this.#steering.report();
  }

  close(): void {
    this.#steering.close();
    this.#stopHearing();
  }

  /** Of those who are here: who has gone asks for nothing. */
  #leastAsked(): number | undefined {
    const here = new Set(this.#outside.store.snapshot.people.map(({ peerId }) => peerId));
    for (const peerId of this.#asked.keys()) if (!here.has(peerId)) this.#asked.delete(peerId);
    return this.#asked.size > 0 ? Math.min(...this.#asked.values()) : undefined;
  }
}
