/**
 * The processes of one kind that this one speaks with: watches their registrations, keeps one Channel to each
 * process and incarnation, dials again with a growing wait, and tells who came and who went.
 * A Channel that breaks takes with it what was under way, so its process has gone, whatever became of it; one that is only quiet is
 * doubted first (doubt.ts, ADR 0028).
 * A Channel outlives its registration: only its own pulse, or a newer incarnation, ends it, so a store that is down costs nothing.
 * One that is stale (its certificate was renewed) is replaced first and retired afterwards: nobody goes.
 */
import { ClusterError, type Clock, type Random } from '@veilcast/protocol';
import { Unreachable, type Carrier } from './carrier.ts';
import type { Channel } from './channel.ts';
import { connectChannel } from './dial.ts';
import { CHANNEL_LIMITS } from './limits.ts';
import { Doubt, type Verdict } from './doubt.ts';
import type { ChannelOptions } from './open-channel.ts';
import { Registration, registrationPrefix, type ProcessKind } from './registry.ts';

/** What is needed of coordination's Directory. */
export interface RegistrationSource {
  watch(prefix: string, listener: (entries: readonly { readonly value: string }[]) => void): () => void;
}

export interface Neighbour {
  readonly registration: Registration;
  readonly channel: Channel;
}

export interface NeighboursOptions extends Omit<ChannelOptions, 'clock' | 'onOpen'> {
  readonly kind: ProcessKind;
  readonly directory: RegistrationSource;
  readonly carrier: Carrier;
  readonly clock: Clock;
  readonly random: Random;
  /** Whether anybody else hears this life of the process; by default there is nobody to ask. */
  readonly isHeardElsewhere?: ((processId: string, incarnation: string) => Promise<boolean>) | undefined;
}

export interface Neighbours {
  /** Those that can be asked now. */
  all(): readonly Neighbour[];
  get(processId: string): Neighbour | undefined;
  /** Present ones are told at once; one whose Channel was replaced is told again, without having gone. */
  onCome(listener: (neighbour: Neighbour) => void): () => void;
  onGo(listener: (neighbour: Neighbour, verdict: Verdict) => void): () => void;
  /** For how long this life of the process has not been heard, ms; undefined while there is no Channel to it. */
  silentMs(processId: string, incarnation: string): number | undefined;
  /** Whether this life of the process is over for certain: nobody listens there any more, or its next life does. */
  isDead(processId: string, incarnation: string): boolean;
  close(): void;
}

/** First wait before dialling again; doubles. Shorter: a restarting process is hammered. */
const REDIAL_MIN_MS = 50;
/** Last wait. Longer: a process that is back is found later. */
const REDIAL_MAX_MS = 2_000;
/** More: a wrong directory makes us dial more strangers. */
const NEIGHBOURS_MAX = 4096;

interface Place {
  registration: Registration;
  /** It is in the directory: worth dialling. */
  listed: boolean;
  dialling: boolean;
  channel: Channel | undefined;
  /** The last life that was seen to be over. */
  dead: string | undefined;
  failures: number;
  stopTimer: (() => void) | undefined;
}

export function openNeighbours(options: NeighboursOptions): Neighbours {
  return new OpenNeighbours(options);
}

class OpenNeighbours implements Neighbours {
  readonly #options: NeighboursOptions;
  readonly #places = new Map<string, Place>();
  readonly #come = new Set<(neighbour: Neighbour) => void>();
  readonly #go = new Set<(neighbour: Neighbour, verdict: Verdict) => void>();
  readonly #stopWatch: () => void;
  #closed = false;

  constructor(options: NeighboursOptions) {
    this.#options = options;
    this.#stopWatch = options.directory.watch(registrationPrefix(options.kind), (entries) => this.#listed(entries));
  }

  all(): readonly Neighbour[] {
    const present: Neighbour[] = [];
    for (const { registration, channel } of this.#places.values()) if (channel) present.push({ registration, channel });
    return present;
  }

  get(processId: string): Neighbour | undefined {
    const place = this.#places.get(processId);
    return place?.channel === undefined ? undefined : { registration: place.registration, channel: place.channel };
  }

  onCome(listener: (neighbour: Neighbour) => void): () => void {
    this.#come.add(listener);
    for (const neighbour of this.all()) this.#tell([listener], neighbour);
    return () => this.#come.delete(listener);
  }

  onGo(listener: (neighbour: Neighbour, verdict: Verdict) => void): () => void {
    this.#go.add(listener);
    return () => this.#go.delete(listener);
  }

  silentMs(processId: string, incarnation: string): number | undefined {
    const neighbour = this.get(processId);
    return neighbour?.registration.incarnation === incarnation ? neighbour.channel.silentMs : undefined;
  }

  isDead(processId: string, incarnation: string): boolean {
    return this.#places.get(processId)?.dead === incarnation;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatch();
    for (const place of this.#places.values()) {
      place.stopTimer?.();
      place.channel?.close();
    }
    this.#places.clear();
  }

  #listed(entries: readonly { readonly value: string }[]): void {
    if (this.#closed) return;
    for (const place of this.#places.values()) place.listed = false;
    for (const { value } of entries) {
      const registration = this.#parse(value);
      if (registration !== undefined && registration.processId !== this.#options.hello.processId)
        this.#note(registration);
    }
    for (const [processId, place] of this.#places) {
      if (place.listed || place.channel !== undefined || place.dialling) continue;
      place.stopTimer?.();
      this.#places.delete(processId);
    }
  }

  #parse(value: string): Registration | undefined {
    try {
      const registration = Registration.parse(JSON.parse(value));
      return registration.kind === this.#options.kind ? registration : undefined;
    } catch (error) {
      this.#options.report?.(error);
      return undefined;
    }
  }

  #note(registration: Registration): void {
    const { processId } = registration;
    const known = this.#places.get(processId);
    if (known === undefined) {
      if (this.#places.size >= NEIGHBOURS_MAX) return;
      const place: Place = {
        registration,
        listed: true,
        dialling: false,
        channel: undefined,
        dead: undefined,
        failures: 0,
        stopTimer: undefined,
      };
      this.#places.set(processId, place);
      void this.#dial(place);
      return;
    }
    known.listed = true;
    if (
      known.registration.incarnation === registration.incarnation &&
      known.registration.address === registration.address
    )
      return;
    const { channel } = known;
    if (channel !== undefined) this.#went(known, channel, 'dead');
    if (known.registration.incarnation !== registration.incarnation) known.dead = known.registration.incarnation;
    known.registration = registration;
    known.failures = 0;
    channel?.close();
    void this.#dial(known);
  }

  /** @param stale the Channel that the new one replaces */
  async #dial(place: Place, stale?: Channel): Promise<void> {
    if (place.dialling || place.channel !== stale || this.#closed) return;
    place.stopTimer?.();
    place.stopTimer = undefined;
    place.dialling = true;
    const { registration } = place;
    try {
      const { kind, processId, incarnation, region, address } = registration;
      const expect = { kind, processId, incarnation, region };
      const channel = await connectChannel({ ...this.#options, address, expect });
      place.dialling = false;
      this.#connected(place, registration, channel);
    } catch (error) {
      // Unreachable is ordinary: the registration lives a little longer than its process.
      place.dialling = false;
      if (isOver(error) && place.registration === registration) place.dead = registration.incarnation;
      place.failures += 1;
      this.#redial(place);
    }
  }

  #connected(place: Place, registration: Registration, channel: Channel): void {
    if (this.#closed || this.#places.get(registration.processId) !== place) return channel.close();
    if (place.registration !== registration) {
      channel.close();
      void this.#dial(place);
      return;
    }
    const replaced = place.channel;
    place.channel = channel;
    if (place.dead === registration.incarnation) place.dead = undefined;
    place.failures = 0;
    channel.onStale(() => void this.#dial(place, channel));
    let verdict: Verdict = 'broken';
    channel.onQuiet(() => {
      if (place.channel !== channel) return;
      const { carrier, isHeardElsewhere } = this.#options;
      const { kind, processId, incarnation, region, address } = registration;
      const expect = { kind, processId, incarnation, region };
      const probe = async (): Promise<void> => (await connectChannel({ ...this.#options, address, expect })).close();
      new Doubt({
        clock: this.#options.clock,
        limits: { ...CHANNEL_LIMITS, ...this.#options.limits },
        channel,
        probe,
        knock: async () => carrier.knock?.(address),
        isHeardElsewhere: async () => (await isHeardElsewhere?.(processId, incarnation)) ?? false,
        verdict: (what) => {
          verdict = what;
          channel.close();
        },
      }).begin();
    });
    channel.onClose(() => {
      if (place.channel !== channel || this.#closed) return;
      this.#went(place, channel, verdict);
      this.#redial(place);
    });
    this.#tell(this.#come, { registration, channel });
    replaced?.retire();
  }

  #went(place: Place, channel: Channel, verdict: Verdict): void {
    place.channel = undefined;
    this.#tell(this.#go, { registration: place.registration, channel }, verdict);
  }

  #redial(place: Place): void {
    const { processId } = place.registration;
    if (this.#closed || this.#places.get(processId) !== place) return;
    if (!place.listed && place.channel === undefined) {
      this.#places.delete(processId);
      return;
    }
    const wait = Math.min(REDIAL_MAX_MS, REDIAL_MIN_MS * 2 ** Math.min(place.failures, 10));
    // Half of the wait is chance, so that a process that is back is not dialled by all at once.
    place.stopTimer = this.#options.clock.after(
      wait * (0.5 + this.#options.random.float() / 2),
      () => void this.#dial(place, place.channel),
    );
  }

  #tell<A extends unknown[]>(listeners: Iterable<(...told: A) => void>, ...told: A): void {
    for (const listener of listeners) {
      try {
        listener(...told);
      } catch (error) {
        this.#options.report?.(error);
      }
    }
  }
}

/** A dial that nobody took, or that another life of the process answered. */
function isOver(error: unknown): boolean {
  if (error instanceof Unreachable) return error.sight === 'refused';
  return error instanceof ClusterError && error.code === 'STALE_INCARNATION';
}
