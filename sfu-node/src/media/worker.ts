/**
 * The workers of a node, one a core: start, the two sockets of each, processor share, death, rebirth. One that hangs is killed.
 * A worker that died is followed by one with a new WorkerId: nothing that hung on the old one can be taken for the new one's.
 * Never ends the process because of a dead worker.
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { NodeConfig } from '../config.ts';
import { RECEIVE_BUFFER_BYTES } from './buffers.ts';
import { media } from './errors.ts';
import type { CreateWorker, MediaServer, MediaWorker } from './port.ts';
import { watchPulse, type WorkerProcess } from './pulse.ts';

/** First wait before a dead worker is replaced, doubled with each death in a row. Shorter: a worker that cannot run burns a core. */
const RESPAWN_MIN_MS = 50;
/** Longest wait. Longer: a host stays without capacity after its trouble is over. */
const RESPAWN_MAX_MS = 10_000;
/** A worker that lived this long was a good one: the wait begins anew. */
const SETTLED_MS = 30_000;
/** How long an ended worker process may take to be gone, before it is killed; and again that long before nobody waits for it. */
const END_MS = 2_000;

/** A worker that runs, in one of its lives. */
export interface LiveWorker {
  /** `<node>/<index>`, and `<node>/<index>.<life>` after a death. */
  readonly id: string;
  readonly index: number;
  readonly media: MediaWorker;
  /** Its one UDP and one TCP socket. */
  readonly server: MediaServer;
  /** Share of a core used in the last second, 0 to 1. */
  cpu: number;
}

export interface WorkersOptions {
  readonly config: NodeConfig;
  readonly clock: Clock;
  readonly createWorker: CreateWorker;
  readonly process: WorkerProcess;
  /** It does not answer, and is killed; its death is told as any other. */
  readonly onHang: (worker: LiveWorker) => void;
  /** Everything on it is gone already. */
  readonly onDeath: (worker: LiveWorker) => void;
  readonly onBirth: (worker: LiveWorker) => void;
  readonly onFailure: (error: unknown) => void;
}

interface Slot {
  readonly index: number;
  live: LiveWorker | undefined;
  life: number;
  failures: number;
  bornAt: number;
  cpuMs: number;
  measuredAt: number;
  measuring: boolean;
}

export class Workers {
  readonly #options: WorkersOptions;
  readonly #slots: Slot[];
  readonly #timers = new Set<() => void>();
  readonly #births = new Set<Promise<void>>();
  #closed = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.config.workers }, (_, index) => ({
      index,
      live: undefined,
      life: 0,
      failures: 0,
      bornAt: 0,
      cpuMs: 0,
      measuredAt: 0,
      measuring: false,
    }));
  }

  /** Starts all of them. @throws ClusterError if one does not start; the others are ended again */
  async start(): Promise<void> {
    const started = await Promise.allSettled(this.#slots.map((slot) => this.#birth(slot)));
    const failed = started.find((result) => result.status === 'rejected');
    if (!failed) return;
    await this.close();
    throw ClusterError.of(failed.reason);
  }

  live(): LiveWorker[] {
    return this.#slots.flatMap((slot) => (slot.live ? [slot.live] : []));
  }

  find(workerId: string): LiveWorker | undefined {
    return this.#slots.find((slot) => slot.live?.id === workerId)?.live;
  }

  /** Whether all of them run. */
  complete(): boolean {
    return !this.#closed && this.#slots.every((slot) => slot.live && !slot.live.media.closed);
  }

  /** Takes the processor share of each since the last time. A worker that is slow to answer is left out. */
  async measure(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#measure(slot)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    await Promise.allSettled(this.#births);
    await Promise.all(
      this.#slots.map(async (slot) => {
        const { live } = slot;
        slot.live = undefined;
        if (live) await this.#end(live.media);
      }),
    );
  }

  async #birth(slot: Slot): Promise<void> {
    const { config, clock, createWorker, onBirth } = this.#options;
    const mediaWorker = await media(createWorker());
    mediaWorker.on('died', () => this.#died(slot, mediaWorker));
    let server: MediaServer;
    try {
      server = await media(mediaWorker.createWebRtcServer({ listenInfos: listenInfos(config, slot.index) }));
    } catch (error) {
      await this.#end(mediaWorker);
      throw error;
    }
    if (this.#closed || mediaWorker.closed) {
      await this.#end(mediaWorker);
      throw new ClusterError('CLOSED');
    }
    const id = `${config.nodeId}/${slot.index}${slot.life === 0 ? '' : `.${slot.life}`}`;
    slot.life++;
    slot.bornAt = clock.now();
    slot.cpuMs = 0;
    slot.measuredAt = slot.bornAt;
    const live: LiveWorker = { id, index: slot.index, media: mediaWorker, server, cpu: 0 };
    slot.live = live;
    this.#watch(live);
    onBirth(live);
  }

  #watch(live: LiveWorker): void {
    const { clock, process, onHang } = this.#options;
    const hangs = (): void => {
      this.#timers.delete(stop);
      onHang(live);
      process.kill(live.media);
    };
    const stop = watchPulse({ clock, worker: live.media, process, hangs });
    this.#timers.add(stop);
    live.media.on('died', () => {
      stop();
      this.#timers.delete(stop);
    });
  }

  #died(slot: Slot, mediaWorker: MediaWorker): void {
    const { live } = slot;
    if (live?.media !== mediaWorker || this.#closed) return;
    slot.live = undefined;
    if (this.#options.clock.now() - slot.bornAt >= SETTLED_MS) slot.failures = 0;
    this.#options.onDeath(live);
    this.#rebirth(slot);
  }

  #rebirth(slot: Slot): void {
    if (this.#closed) return;
    const wait = Math.min(RESPAWN_MAX_MS, RESPAWN_MIN_MS * 2 ** Math.min(slot.failures, 20));
    slot.failures++;
    const cancel = this.#options.clock.after(wait, () => {
      this.#timers.delete(cancel);
      const birth = this.#birth(slot)
        .catch((error: unknown) => {
          if (this.#closed) return;
          this.#options.onFailure(error);
          this.#rebirth(slot);
        })
        .finally(() => this.#births.delete(birth));
      this.#births.add(birth);
    });
    this.#timers.add(cancel);
  }

  async #measure(slot: Slot): Promise<void> {
    const { live } = slot;
    if (!live || slot.measuring) return;
    slot.measuring = true;
    try {
      const usage = await live.media.getResourceUsage();
      const now = this.#options.clock.now();
      const cpuMs = usage.ru_utime + usage.ru_stime;
      const elapsed = now - slot.measuredAt;
      if (slot.live === live && elapsed > 0) {
        live.cpu = Math.max(0, (cpuMs - slot.cpuMs) / elapsed);
        slot.cpuMs = cpuMs;
        slot.measuredAt = now;
      }
    } catch {
      // It died while it was asked; `died` tells.
    } finally {
      slot.measuring = false;
    }
  }

  /** Resolves when the process is gone, so that its ports are free. */
  async #end(worker: MediaWorker): Promise<void> {
    const gone = new Promise<void>((resolve) => {
      if (worker.subprocessClosed) resolve();
      else worker.on('subprocessclose', resolve);
    });
    worker.close();
    const { clock, process } = this.#options;
    const cancelKill = clock.after(END_MS, () => process.kill(worker));
    const waited = wait(clock, 2 * END_MS);
    await Promise.race([gone, waited.done]);
    cancelKill();
    waited.cancel();
  }
}

function wait(clock: Clock, ms: number): { readonly done: Promise<void>; readonly cancel: () => void } {
  let cancel!: () => void;
  const done = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  return { done, cancel };
}

function listenInfos(config: NodeConfig, index: number) {
  const { ip, announcedAddress, ipv6, udpPort, tcpPort } = config.media;
  const places = [
    { ip, ...(announcedAddress === undefined ? {} : { announcedAddress }) },
    ...(ipv6 === undefined ? [] : [{ ip: ipv6 }]),
  ];
  // UDP before TCP, whatever the address: in this order clients prefer them.
  return [
    ...places.map((place) => ({
      ...place,
      protocol: 'udp' as const,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      ...(udpPort === 0 ? {} : { port: udpPort + index }),
    })),
    ...places.map((place) => ({
      ...place,
      protocol: 'tcp' as const,
      ...(tcpPort === 0 ? {} : { port: tcpPort + index }),
    })),
  ];
}
