/**
 * The processes of one kind that this one speaks with: watches their registrations, keeps one Channel to each
 * process and incarnation, dials again with a growing wait, and tells who came and who went.
 * Nobody has gone because one Channel broke or fell silent: that makes a doubt (doubt.ts), and only its verdict is told (ADR 0028).
 * A Channel outlives its registration: only its own pulse, or a newer incarnation, ends it, so a store that is down costs nothing.
 * One that is stale (its certificate was renewed) is replaced first and retired afterwards: nobody goes.
 */
import type { Clock, Random } from '@veilcast/protocol';
import type { Carrier } from './carrier.ts';
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
  /** The verdict, once for each that came. */
  onGo(listener: (neighbour: Neighbour, verdict: Verdict) => void): () => void;
  /** For how long this life of the process has not been heard, ms; undefined while there is no Channel to it. */
  silentMs(processId: string, incarnation: string): number | undefined;
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
  /** Told to have come, and not to have gone. */
  present: Neighbour | undefined;
  doubt: Doubt | undefined;
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

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatch();
    for (const place of this.#places.values()) {
      place.stopTimer?.();
      place.doubt?.end();
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
      if (place.listed || place.present !== undefined || place.dialling) continue;
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
        present: undefined,
        doubt: undefined,
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
    this.#went(known, 'replaced');
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
      place.failures += 1;
      if (place.registration === registration) place.doubt?.failed(error);
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
    place.failures = 0;
    place.doubt?.end();
    place.doubt = undefined;
    channel.onStale(() => void this.#dial(place, channel));
    channel.onQuiet(() => this.#doubt(place, channel));
    channel.onClose(() => {
      if (place.channel !== channel || this.#closed) return;
      place.channel = undefined;
      this.#doubt(place);
      place.failures = 0;
      void this.#dial(place);
    });
    place.present = { registration, channel };
    this.#tell(this.#come, place.present);
    replaced?.retire();
  }

  /** Looks for it by another way. While its Channel is open the way there may only be slow. */
  #doubt(place: Place, quiet?: Channel): void {
    if (place.doubt === undefined) {
      const { clock, carrier, isHeardElsewhere } = this.#options;
      const { processId, incarnation, address } = place.registration;
      const doubt = new Doubt({
        clock,
        isHeardElsewhere: async () => (await isHeardElsewhere?.(processId, incarnation)) ?? false,
        verdict: (verdict) => this.#judged(place, verdict),
      });
      place.doubt = doubt;
      carrier.knock?.(address).then(
        (sight) => doubt.knocked(sight),
        () => undefined,
      );
    }
    if (quiet !== undefined) void this.#dial(place, quiet);
  }

  #judged(place: Place, verdict: Verdict): void {
    const { channel } = place;
    const { pingMs, quietPings } = { ...CHANNEL_LIMITS, ...this.#options.limits };
    place.doubt = undefined;
    // It speaks again on the Channel that was quiet.
    if (channel !== undefined && channel.silentMs <= pingMs * quietPings) return;
    this.#went(place, verdict);
    channel?.close();
    this.#redial(place);
  }

  #went(place: Place, verdict: Verdict): void {
    const { present } = place;
    place.channel = undefined;
    place.present = undefined;
    place.doubt?.end();
    place.doubt = undefined;
    if (present !== undefined) this.#tell(this.#go, present, verdict);
  }

  #redial(place: Place): void {
    const { processId } = place.registration;
    if (this.#closed || this.#places.get(processId) !== place) return;
    if (!place.listed && place.present === undefined) {
      this.#places.delete(processId);
      return;
    }
    place.stopTimer?.();
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
