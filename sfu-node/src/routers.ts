/**
 * The Routers of one Room on this node, one a Worker at most: opened for the first who needs it, closed when the last has
 * let go of it. Whoever needs one holds it; counting holds instead of Peers makes the two races (open while closing, close
 * while opening) the same as the quiet case.
 */
import { ClusterError } from '@veilcast/protocol';
import { ROUTER_CODECS } from './codecs.ts';
import { media } from './media/errors.ts';
import type { LiveWorker } from './media/worker.ts';
import { RoomRouter } from './router.ts';
import type { HeardVoice } from './voices.ts';

/** The right to use a Router; it stays open until all are released. Releasing twice is releasing once. */
export interface Hold {
  readonly router: RoomRouter;
  release(): void;
}

interface Slot {
  readonly worker: LiveWorker;
  opened: Promise<RoomRouter>;
  router: RoomRouter | undefined;
  holds: number;
  /** Why it is no more, once it is. */
  ended: ClusterError | undefined;
}

export class RoomRouters {
  readonly #slots = new Map<string, Slot>();
  readonly #onChange: () => void;
  readonly #onVoices: (voices: HeardVoice[]) => void;
  #listening = false;

  constructor(onChange: () => void, onVoices: (voices: HeardVoice[]) => void) {
    this.#onChange = onChange;
    this.#onVoices = onVoices;
  }

  /** Whether voices are measured, on those Routers too that open later. */
  listen(on: boolean): void {
    this.#listening = on;
    for (const router of this.list()) router.voices.listen(on);
  }

  /** Nobody holds any. */
  get empty(): boolean {
    return this.#slots.size === 0;
  }

  list(): RoomRouter[] {
    return [...this.#slots.values()].flatMap(({ router }) => (router ? [router] : []));
  }

  find(workerId: string): RoomRouter | undefined {
    return this.#slots.get(workerId)?.router;
  }

  /** @throws ClusterError WORKER_DIED, CLOSED */
  async hold(worker: LiveWorker): Promise<Hold> {
    let slot = this.#slots.get(worker.id);
    if (!slot) {
      slot = { worker, opened: undefined as never, router: undefined, holds: 0, ended: undefined };
      this.#slots.set(worker.id, slot);
      slot.opened = this.#open(slot);
    }
    const mine = slot;
    mine.holds++;
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      if (--mine.holds === 0) this.#end(mine, new ClusterError('CLOSED'));
    };
    try {
      const router = await mine.opened;
      if (mine.ended) throw mine.ended;
      return { router, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Its Worker died: the Router is gone, and who waits for it or holds it has nothing. */
  lost(worker: LiveWorker): void {
    const slot = this.#slots.get(worker.id);
    if (slot) this.#end(slot, new ClusterError('WORKER_DIED'));
  }

  close(): void {
    for (const slot of this.#slots.values()) this.#end(slot, new ClusterError('CLOSED'));
  }

  async #open(slot: Slot): Promise<RoomRouter> {
    const opened = await media(slot.worker.media.createRouter({ mediaCodecs: ROUTER_CODECS }));
    if (slot.ended) {
      opened.close();
      throw slot.ended;
    }
    slot.router = new RoomRouter(opened, slot.worker, this.#onChange, this.#onVoices);
    slot.router.voices.listen(this.#listening);
    this.#onChange();
    return slot.router;
  }

  #end(slot: Slot, reason: ClusterError): void {
    if (slot.ended) return;
    slot.ended = reason;
    this.#slots.delete(slot.worker.id);
    slot.router?.close();
    this.#onChange();
  }
}
