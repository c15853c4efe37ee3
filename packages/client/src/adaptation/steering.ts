/**
 * Looks at the connection once a second and keeps what is sent and asked for under what it carries. The decisions are `adapt`'s; this reads, applies
 * and remembers why, for the diagnostics.
 */
import type { Clock } from '@veilcast/protocol';
import type { SeatMedia } from '../seat-media.ts';
import { adapt, newAdaptation, warm, type Adapted, type AdaptationState } from './adapt.ts';
import { Meter } from './meter.ts';
import { RECEIVE_RUNGS, SEND_RUNGS } from './rungs.ts';
import type { Sample } from './sample.ts';
import { soundSent, type SoundSent } from './sound-sent.ts';
import { ALL_WELL, type Extent, type NetworkStanding } from './standing.ts';

/** Shorter: figures of a few packets. Longer: a second more of broken sound. */
const LOOK_MS = 1_000;
/** Sound that begins, or comes back after a rest, is made up until its buffer is filled: the first two looks say nothing of the network. */
const BEGINS = 2;
/** Changes kept for the diagnostics. */
const CHANGES_MAX = 30;

/** In the report. */
export interface AdaptationReport {
  readonly send: Adapted['decision']['send'] & { readonly why: string };
  readonly receive: Adapted['decision']['receive'] & { readonly why: string };
  readonly path: 'keep' | 'other';
  /** How the voice leaves; null: it does not, or the browser does not say. */
  readonly sound: SoundSent | null;
  /** What was measured last. */
  readonly measured: Sample | null;
  /** The last changes, oldest first; `at` in ms since the call began. */
  readonly changes: readonly Change[];
}

interface Change {
  readonly at: number;
  readonly way: 'send' | 'receive';
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

export interface SteeringOutside {
  readonly clock: Clock;
  /** Undefined while there is none. */
  media(): SeatMedia | undefined;
  /** Pictures that somebody sends and this Peer shows. */
  wanted(): number;
  /** The thinnest sound that somebody asked for. */
  asked(): number | undefined;
  /** To be asked of those who speak; undefined: nothing any more. */
  ask(soundBps: number | undefined): void;
  /** The highest layer that may be asked for; null: no picture. */
  limitReceived(layersMax: number | null): void;
  stands(standing: NetworkStanding): void;
}

export class Steering {
  readonly #outside: SteeringOutside;
  readonly #startedAt: number;
  readonly #stop: () => void;
  readonly #changes: Change[] = [];
  #state: AdaptationState;
  #adapted: Adapted | undefined;
  #sample: Sample | null = null;
  #sound: SoundSent | null = null;
  /** Of the present transports, for as long as media flows by them. */
  #meters: { readonly media: SeatMedia; readonly send: Meter; readonly receive: Meter; looks: number } | undefined;
  #asked: number | undefined;
  #lookedAt: number | undefined;

  constructor(outside: SteeringOutside) {
    this.#outside = outside;
    this.#startedAt = outside.clock.now();
    this.#state = newAdaptation(connection().effectiveType ?? '', connection().type ?? '', this.#startedAt);
    this.#stop = outside.clock.every(LOOK_MS, () => void this.#look().catch(() => undefined));
  }

  report(): AdaptationReport | null {
    if (!this.#adapted) return null;
    const { decision, why } = this.#adapted;
    return {
      send: { ...decision.send, why: why.send ?? '' },
      receive: { ...decision.receive, why: why.receive ?? '' },
      path: decision.path,
      sound: this.#sound,
      measured: this.#sample,
      changes: [...this.#changes],
    };
  }

  /** Somebody asks for other sound: it is not the time to wait for the next look. */
  asked(): void {
    const media = this.#outside.media();
    const now = this.#outside.clock.now();
    if (!media || !this.#sample) return;
    this.#sample = { ...this.#sample, asked: this.#outside.asked() };
    this.#take(adapt(this.#state, { ...this.#sample, send: undefined, receive: undefined }, now), media, now);
  }

  close(): void {
    this.#stop();
  }

  async #look(): Promise<void> {
    const outside = this.#outside;
    const media = outside.media();
    if (!media) {
      this.#meters = undefined;
      return outside.stands(ALL_WELL);
    }
    if (this.#meters?.media !== media) {
      this.#meters = { media, send: new Meter(), receive: new Meter(), looks: 0 };
      this.#state = warm(this.#state, outside.clock.now());
    }
    const meters = this.#meters;
    meters.looks += 1;
    const askedAt = outside.clock.now();
    const lateMs = Math.max(0, askedAt - (this.#lookedAt ?? askedAt) - LOOK_MS);
    this.#lookedAt = askedAt;
    const [sent, received] = await Promise.all([media.transports.send.getStats(), media.receiving.stats()]);
    if (this.#meters !== meters) return;
    const now = outside.clock.now();
    this.#sound = soundSent(sent.entries()) ?? null;
    const receive = meters.receive.receive(received, now);
    this.#sample = {
      send: meters.send.send(sent.entries(), now),
      receive: receive && meters.looks > BEGINS ? { ...receive, wanted: outside.wanted() } : undefined,
      network: connection().type ?? '',
      saveData: connection().saveData ?? false,
      lagMs: Math.max(lateMs, now - askedAt),
      asked: outside.asked(),
    };
    this.#take(adapt(this.#state, this.#sample, now), media, now);
  }

  #take(adapted: Adapted, media: SeatMedia, now: number): void {
    const { state, decision, why } = adapted;
    for (const way of ['send', 'receive'] as const) {
      const [from, to] = [this.#state[way].rung, state[way].rung];
      if (from === to) continue;
      this.#changes.push({ at: Math.round(now - this.#startedAt), way, from, to, why: why[way] ?? 'calm' });
    }
    this.#changes.splice(0, this.#changes.length - CHANGES_MAX);
    this.#state = state;
    this.#adapted = adapted;
    const isFree = state.send.rung === SEND_RUNGS.length - 1 && this.#sample?.asked === undefined;
    void media.publishing.limit(isFree ? undefined : decision.send);
    this.#outside.limitReceived(decision.receive.layersMax);
    if (decision.receive.soundBps !== this.#asked) {
      this.#asked = decision.receive.soundBps;
      this.#outside.ask(this.#asked);
    }
    this.#outside.stands({
      send: extentOf(state.send.rung, SEND_RUNGS.length - 1),
      receive: extentOf(state.receive.rung, RECEIVE_RUNGS.length - 1),
      busy: why.send === 'cpu' || why.receive === 'cpu',
    });
  }
}

function extentOf(rung: number, top: number): Extent {
  return rung === 0 ? 'sound' : rung === top ? 'all' : 'less';
}

interface Connection {
  readonly type?: string;
  readonly effectiveType?: string;
  readonly saveData?: boolean;
}

/** NetworkInformation, which only Chromium has. */
function connection(): Connection {
  return (navigator as { connection?: Connection }).connection ?? {};
}
