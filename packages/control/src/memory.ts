/**
 * A Carrier inside one process. Order and completeness are those of a stream; delay and silence are given by the seam,
 * so that a test can hold frames back or cut two processes off from each other without either being told.
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import { Unreachable, type Carrier, type Link } from './carrier.ts';

/** What happens to a frame, or to a dial: it comes after so many ms, when a promise resolves, or never. */
export type Fate = number | Promise<void> | 'never';
export type Travels = 'dial' | 'frame' | 'close';

export interface MemoryHubOptions {
  /** Needed where a fate is a delay. */
  readonly clock?: Clock | undefined;
  /** By names of the two processes' carriers. A link loses all that follows a frame that never comes. */
  readonly fate?: ((from: string, to: string, what: Travels) => Fate) | undefined;
  /** Bytes under way in one direction of a link before `send` answers false. */
  readonly queueBytes?: number | undefined;
}

export interface MemoryHub {
  /** The carrier of the process of this name. All carriers of a hub reach each other. */
  carrier(name: string): Carrier;
  /** As if the process had died: its links close at both ends, its listeners are gone, its carriers are of no use. */
  kill(name: string): void;
  /** Its links close at both ends, and it goes on. */
  breakLinks(name: string): void;
}

type Later = (fate: Exclude<Fate, 'never'>, run: () => void) => void;

interface Listener {
  readonly owner: string;
  accept(link: Link): void;
}

const QUEUE_BYTES = 8 * 1024 * 1024;

/** Addresses shared by the carriers of several processes that live in this one. */
export function memoryHub(options: MemoryHubOptions = {}): MemoryHub {
  const listeners = new Map<string, Listener>();
  const links = new Set<MemoryLink>();
  const fate = options.fate ?? ((): Fate => 0);
  const queueBytes = options.queueBytes ?? QUEUE_BYTES;

  const lives = new Map<string, number>();
  const later: Later = (fate, run) => {
    if (fate instanceof Promise) void fate.then(run);
    else if (fate <= 0 || options.clock === undefined) queueMicrotask(run);
    else options.clock.after(fate, run);
  };
  const end = (from: string, to: string): MemoryLink => {
    const link = new MemoryLink(
      from,
      queueBytes,
      (what) => fate(from, to, what),
      later,
      () => links.delete(link),
    );
    links.add(link);
    return link;
  };

  const dial = async (name: string, address: string, alive: () => boolean): Promise<Link> => {
    const listener = listeners.get(address);
    if (listener === undefined || !alive()) throw new Unreachable('refused');
    const wait = fate(name, listener.owner, 'dial');
    if (wait === 'never') throw new Unreachable('nothing');
    await new Promise<void>((resolve) => later(wait, resolve));
    if (listeners.get(address) !== listener || !alive()) throw new Unreachable('refused');
    const near = end(name, listener.owner);
    const far = end(listener.owner, name);
    near.join(far);
    far.join(near);
    listener.accept(far);
    return near;
  };

  const breakLinks = (name: string): void => {
    for (const link of links) if (link.owner === name) link.close();
  };

  return {
    carrier: (name) => {
      const life = lives.get(name) ?? 0;
      const alive = (): boolean => (lives.get(name) ?? 0) === life;
      return {
        dial: async (address) => dial(name, address, alive),
        listen: async (address, accept) => {
          if (listeners.has(address) || !alive()) throw new ClusterError('INTERNAL', 'the address cannot be had');
          const listener: Listener = { owner: name, accept };
          listeners.set(address, listener);
          return {
            close: async () => {
              if (listeners.get(address) === listener) listeners.delete(address);
            },
          };
        },
      };
    },
    kill: (name) => {
      lives.set(name, (lives.get(name) ?? 0) + 1);
      for (const [address, listener] of listeners) if (listener.owner === name) listeners.delete(address);
      breakLinks(name);
    },
    breakLinks,
  };
}

/** One Carrier for everything in this process. */
export function memoryCarrier(options: MemoryHubOptions = {}): Carrier {
  return memoryHub(options).carrier('local');
}

class MemoryLink implements Link {
  readonly owner: string;
  readonly #queueBytes: number;
  readonly #fate: (what: Travels) => Fate;
  readonly #later: Later;
  readonly #gone: () => void;
  #other: MemoryLink | undefined;
  #closed = false;
  /** A fate of 'never' is a cut: nothing after it may come, or the stream would have a hole. */
  #cut = false;
  #underWay = 0;
  #order: Promise<void> = Promise.resolve();
  #listener: ((frame: Uint8Array) => void) | undefined;
  #early: Uint8Array[] = [];
  readonly #closeListeners: (() => void)[] = [];

  constructor(owner: string, queueBytes: number, fate: (what: Travels) => Fate, later: Later, gone: () => void) {
    this.owner = owner;
    this.#queueBytes = queueBytes;
    this.#fate = fate;
    this.#later = later;
    this.#gone = gone;
  }

  join(other: MemoryLink): void {
    this.#other = other;
  }

  send(frame: Uint8Array): boolean {
    if (this.#closed || this.#underWay + frame.byteLength > this.#queueBytes) return false;
    this.#underWay += frame.byteLength;
    this.#carry('frame', () => {
      this.#underWay -= frame.byteLength;
      this.#other?.deliver(frame);
    });
    return true;
  }

  /** Runs at the other end after everything sent before. */
  #carry(what: Travels, run: () => void): void {
    const fate = this.#fate(what);
    if (fate === 'never') this.#cut = true;
    if (this.#cut || fate === 'never') return;
    const before = this.#order;
    const due = new Promise<void>((resolve) => this.#later(fate, resolve));
    this.#order = Promise.all([before, due]).then(run);
  }

  deliver(frame: Uint8Array): void {
    if (this.#closed) return;
    if (this.#listener === undefined) this.#early.push(frame);
    else this.#listener(frame);
  }

  onFrame(listener: (frame: Uint8Array) => void): void {
    this.#listener = listener;
    for (const frame of this.#early.splice(0)) listener(frame);
  }

  onClose(listener: () => void): void {
    if (this.#closed) queueMicrotask(listener);
    else this.#closeListeners.push(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#gone();
    this.#carry('close', () => this.#other?.close());
    queueMicrotask(() => {
      for (const listener of this.#closeListeners.splice(0)) listener();
    });
  }
}
