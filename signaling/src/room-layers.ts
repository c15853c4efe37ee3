/**
 * Tells each publisher of a Room the highest layer of its video that anybody watches, so that nothing is encoded for nobody
 * (DESIGN §4). What to say when is `keepLayers`'; this looks after changes, and again when a layer's time is over.
 */
import type { Clock, PeerId, ProducerId } from '@veilcast/protocol';
import { keepLayers, NOTHING_KEPT, watchedLayers, type KeptLayers, type RoomState, type Told } from '@veilcast/room';

/** After a change; what changes meanwhile is looked at with it. Longer: a picture comes later. Shorter: a crowd is counted one by one. */
const SOON_MS = 20;

export interface RoomLayersOptions {
  readonly clock: Clock;
  readonly state: () => RoomState;
  readonly tell: (peerIds: readonly PeerId[], event: Told) => void;
}

export class RoomLayers {
  readonly #options: RoomLayersOptions;
  #kept: KeptLayers = NOTHING_KEPT;
  #cancel: (() => void) | undefined;
  #soon = false;
  #stopped = false;

  constructor(options: RoomLayersOptions) {
    this.#options = options;
  }

  /** The Room is another than it was. */
  changed(): void {
    if (this.#soon || this.#stopped) return;
    this.#soon = true;
    this.#lookAfter(SOON_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #lookAfter(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(ms, () => this.#look());
  }

  #look(): void {
    this.#soon = false;
    const { clock, state, tell } = this.#options;
    const now = clock.now();
    const step = keepLayers(this.#kept, watchedLayers(state()), now);
    this.#kept = step.kept;
    for (const { producerId, spatial } of step.tell) {
      const owner = ownerOf(state(), producerId);
      if (owner !== undefined) tell([owner], { name: 'producerWatched', body: { producerId, spatial } });
    }
    if (step.wakeAt !== undefined) this.#lookAfter(step.wakeAt - now);
  }
}

function ownerOf(state: RoomState, producerId: ProducerId): PeerId | undefined {
  return [...state.peers.values()].find(({ producers }) => producers.has(producerId))?.peerId;
}
