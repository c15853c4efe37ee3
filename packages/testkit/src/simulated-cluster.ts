/**
 * Processes that live in one process, over a network and a store that can fail: each gets its own Carrier, Clock and
 * view of the store, and can be killed (nothing of it runs any more) or paused (everything of it waits, as under SIGSTOP).
 * All chance comes from the seed, so a history that broke something can be run again.
 */
import { memoryHub, type Carrier } from '@veilcast/control';
import { memoryCoordination, MemoryStore, type Coordination } from '@veilcast/coordination';
import type { Clock, Random } from '@veilcast/protocol';
import { faultyCoordination, type StoreState } from './faulty-coordination.ts';
import { processClock, type Skew } from './process-clock.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface NetworkOptions {
  /** One way, ms. */
  readonly delayMs?: ((from: string, to: string) => number) | undefined;
  /** Chance more, up to so many ms. */
  readonly jitterMs?: number | undefined;
  /** Share of frames that must be sent again; a stream shows that as `resendMs` more. */
  readonly loss?: number | undefined;
  readonly resendMs?: number | undefined;
  /** How wrong the clock of a new process is. */
  readonly skew?: ((process: string) => Skew) | undefined;
  /** How long the store takes to answer, ms. */
  readonly storeMs?: (() => number) | undefined;
}

export interface SimulatedProcess {
  readonly name: string;
  readonly carrier: Carrier;
  readonly clock: Clock;
  readonly coordination: Coordination;
  readonly random: Random;
  readonly alive: boolean;
  /** Its timers, links and watches are gone at once; nothing is released or said. */
  kill(): void;
  /** Nothing of it runs and nothing reaches it, until `resume`. */
  pause(): void;
  resume(): void;
}

export interface SimulatedCluster {
  readonly clock: VirtualClock;
  /** What the store holds, whatever its state is. */
  readonly store: MemoryStore;
  /** A new life of the process of this name. The one before is killed. */
  process(name: string): SimulatedProcess;
  /** Frames between these two wait; dials fail. Neither is told. */
  cut(a: string, b: string): void;
  heal(a: string, b: string): void;
  healAll(): void;
  /** Of everybody, or as seen by one process. `down`: every question fails. `silent`: none is answered until it is up. */
  setStore(state: StoreState, process?: string): void;
}

/** Makes a cluster without processes. */
export function simulatedCluster(
  clock: VirtualClock,
  random: SeededRandom,
  network: NetworkOptions = {},
): SimulatedCluster {
  return new Cluster(clock, random, network);
}

/** Something that waits until it is let go. */
class Gate {
  #open: (() => void) | undefined;
  #passed: Promise<void> | undefined;

  get shut(): boolean {
    return this.#passed !== undefined;
  }

  shutIt(): void {
    this.#passed ??= new Promise((resolve) => (this.#open = resolve));
  }

  openIt(): void {
    this.#passed = undefined;
    this.#open?.();
  }

  async pass(): Promise<void> {
    await this.#passed;
  }
}

class Cluster implements SimulatedCluster {
  readonly clock: VirtualClock;
  readonly store: MemoryStore;
  readonly #random: SeededRandom;
  readonly #network: NetworkOptions;
  readonly #hub = memoryHub({
    clock: {
      now: () => this.clock.now(),
      after: (ms, run) => this.clock.after(ms, run),
      every: (ms, run) => this.clock.every(ms, run),
    },
    fate: (from, to, what) => this.#fate(from, to, what === 'dial'),
  });
  readonly #cuts = new Map<string, Gate>();
  readonly #paused = new Map<string, Gate>();
  readonly #processes = new Map<string, SimulatedProcess>();
  readonly #states = new Map<string, StoreState>();
  readonly #stateListeners = new Set<() => void>();
  #state: StoreState = 'up';

  constructor(clock: VirtualClock, random: SeededRandom, network: NetworkOptions) {
    this.clock = clock;
    this.store = new MemoryStore(clock);
    this.#random = random;
    this.#network = network;
  }

  process(name: string): SimulatedProcess {
    this.#processes.get(name)?.kill();
    const own = processClock(this.clock, this.#network.skew?.(name));
    const view = memoryCoordination(this.store);
    const pausing = this.#gate(this.#paused, name);
    let alive = true;
    const life: SimulatedProcess = {
      name,
      carrier: this.#hub.carrier(name),
      clock: own,
      coordination: faultyCoordination(view, {
        state: () => (pausing.shut ? 'silent' : (this.#states.get(name) ?? this.#state)),
        onState: (listener) => {
          this.#stateListeners.add(listener);
          return () => void this.#stateListeners.delete(listener);
        },
        answered: () => this.#after(this.#network.storeMs?.() ?? 0),
      }),
      random: this.#random.fork(),
      get alive() {
        return alive;
      },
      kill: () => {
        if (!alive) return;
        alive = false;
        own.stop();
        pausing.openIt();
        this.#hub.kill(name);
        void view.close();
      },
      pause: () => {
        if (!alive) return;
        pausing.shutIt();
        own.pause();
      },
      resume: () => {
        if (!alive) return;
        pausing.openIt();
        own.resume();
        this.#stateChanged();
      },
    };
    this.#processes.set(name, life);
    return life;
  }

  cut(a: string, b: string): void {
    this.#gate(this.#cuts, pairOf(a, b)).shutIt();
  }

  heal(a: string, b: string): void {
    this.#gate(this.#cuts, pairOf(a, b)).openIt();
  }

  healAll(): void {
    for (const gate of this.#cuts.values()) gate.openIt();
  }

  setStore(state: StoreState, process?: string): void {
    if (process === undefined) this.#state = state;
    else this.#states.set(process, state);
    this.#stateChanged();
  }

  #stateChanged(): void {
    for (const listener of this.#stateListeners) listener();
  }

  #gate(gates: Map<string, Gate>, name: string): Gate {
    const gate = gates.get(name) ?? new Gate();
    gates.set(name, gate);
    return gate;
  }

  #fate(from: string, to: string, dial: boolean): number | Promise<void> | 'never' {
    const gates = [this.#cuts.get(pairOf(from, to)), this.#paused.get(from), this.#paused.get(to)];
    if (gates[0]?.shut === true && dial) return 'never';
    const { delayMs, jitterMs = 0, loss = 0, resendMs = 200 } = this.#network;
    const wait =
      (delayMs?.(from, to) ?? 0) + this.#random.float() * jitterMs + (this.#random.float() < loss ? resendMs : 0);
    if (!gates.some((gate) => gate?.shut === true)) return wait;
    return this.#through(gates, wait);
  }

  /** The way, and then whatever is shut at its end. */
  async #through(gates: readonly (Gate | undefined)[], wait: number): Promise<void> {
    for (const gate of gates) await gate?.pass();
    await this.#after(wait);
  }

  async #after(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => void this.clock.after(ms, resolve));
  }
}

function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
