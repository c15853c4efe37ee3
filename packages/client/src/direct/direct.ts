/**
 * The direct path of a call between two (ADR 0034): carries out what `reduceDirect` decides. It belongs to a call and outlives its
 * Seats; a Seat that is given up takes its connection along, since that seals and opens with the Seat's keys.
 */
import type { DirectStep } from '@veilcast/e2ee/said';
import type { Clock, ConsumerId, PeerId, ProducerId, Source } from '@veilcast/protocol';
import type { CallSnapshot } from '../call.ts';
import type { VideoCodec } from '../media/codec.ts';
import type { Received } from '../media/receiving.ts';
import type { StatsEntries } from '../media/stats.ts';
import type { Publication } from '../publications.ts';
import { transformKind } from '../transform-kind.ts';
import type { Transforms } from '../transforms.ts';
import { DirectConnection } from './connection.ts';
import { reduceDirect, wakeAt } from './decide.ts';
import { NOT_DIRECT, type DirectEffect, type DirectEvent, type DirectState } from './model.ts';
import { pairOf } from './pair.ts';
import { Ways } from './ways.ts';

export interface DirectOutside {
  readonly clock: Clock;
  readonly codec: VideoCodec;
  /** STUN and TURN servers, as of now. */
  configuration(): RTCConfiguration;
  /** Of the present Seat. */
  transforms(): Transforms | undefined;
  /** The server's Consumers. */
  received(): readonly Received[];
  isIdle(producerId: ProducerId): boolean;
  isOpened(consumerId: ConsumerId): boolean;
  published(): Iterable<readonly [Source, Publication & { readonly muted: boolean }]>;
  say(message: { from: PeerId; to: PeerId; say: DirectStep }): void;
  replaced(before: Received, received: Received): void;
  /** What the server need not get of us changed: `resting`. */
  rest(): void;
  /** There is a new path; the other knows nothing of how it is shown. */
  connected(): void;
  /** Which Producers the server need not send changed. */
  shown(): void;
}

export class Direct {
  readonly #outside: DirectOutside;
  readonly #ways: Ways;
  #state: DirectState = NOT_DIRECT;
  #self: PeerId | '' = '';
  #connection: DirectConnection | undefined;
  #resting: readonly Source[] = [];
  #cancelWake: (() => void) | undefined;
  #isTaking = false;
  readonly #events: DirectEvent[] = [];
  #closed = false;

  constructor(outside: DirectOutside) {
    this.#outside = outside;
    this.#ways = new Ways({
      clock: outside.clock,
      received: () => outside.received(),
      isIdle: (producerId) => outside.isIdle(producerId),
      isOpened: (consumerId) => outside.isOpened(consumerId),
      replaced: (before, received) => outside.replaced(before, received),
      changed: (attempt, sources) => {
        this.#take({ kind: 'shows', attempt, sources });
        outside.shown();
      },
    });
  }

  get ways(): Ways {
    return this.#ways;
  }

  /** Of our Sources, those that the server need not get. */
  get resting(): readonly Source[] {
    return this.#resting;
  }

  get isShown(): boolean {
    return this.#ways.list().some(({ isDirect }) => isDirect);
  }

  /** Whether this side would. Only a browser whose workers take every frame does. */
  allow(willing: boolean): void {
    this.#take({ kind: 'willing', willing: willing && transformKind() === 'script' });
  }

  follow(snapshot: CallSnapshot): void {
    // Without signaling nobody knows who is there; the path carries on.
    if (snapshot.state !== 'joined') return;
    const here = new Set(snapshot.people.map(({ peerId }) => peerId));
    this.#self = snapshot.self.peerId;
    if (this.#self !== '') here.add(this.#self);
    this.#take({ kind: 'room', pair: pairOf(snapshot), here });
    this.#send();
  }

  hear(by: PeerId, { from, to, say }: { from: PeerId; to: PeerId; say: DirectStep }): void {
    // Said to somebody else, or by the Peer that somebody was before.
    if (from !== by || to !== this.#self) return;
    this.#take({ kind: 'heard', by, say });
  }

  /** How large the other's pictures are shown; they are sent as large. */
  fits(tiles: readonly { readonly source: Source; readonly width: number; readonly height: number }[]): void {
    const { known } = this.#state;
    if (!this.#connection || !known) return;
    const { attempt } = this.#connection;
    const say: DirectStep = { step: 'fits', attempt, tiles: tiles.slice(0, 2).map((tile) => ({ ...tile })) };
    this.#outside.say({ from: known.self, to: known.other, say });
  }

  makeKeyFrames(sources: readonly Source[]): void {
    for (const source of sources) void this.#connection?.makeKeyFrame(source);
  }

  async stats(): Promise<StatsEntries | undefined> {
    return await this.#connection?.getStats().catch(() => undefined);
  }

  /** Its Seat is given up, and with it the keys. */
  end(): void {
    const { known } = this.#state;
    if (known) this.#take({ kind: 'room', pair: undefined, here: new Set() });
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake?.();
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** What is published now goes by the connection too; of what is muted nothing. */
  #send(): void {
    const connection = this.#connection;
    if (!connection) return;
    const tracks = new Map<Source, MediaStreamTrack | null>();
    for (const [source, { track, muted }] of this.#outside.published()) tracks.set(source, muted ? null : track);
    for (const source of ['microphone', 'camera', 'screen', 'screen-audio'] as const)
      void connection.send(source, tracks.get(source) ?? null);
  }

  /** One after the other: what an effect brings about is another event. */
  #take(event: DirectEvent): void {
    if (this.#closed) return;
    this.#events.push(event);
    if (this.#isTaking) return;
    this.#isTaking = true;
    for (let next = this.#events.shift(); next; next = this.#events.shift()) {
      const { state, effects } = reduceDirect(this.#state, next, this.#outside.clock.now());
      this.#state = state;
      for (const effect of effects) this.#carryOut(effect);
    }
    this.#isTaking = false;
    this.#cancelWake?.();
    const at = wakeAt(this.#state);
    if (at === undefined) return;
    const wait = Math.max(0, at - this.#outside.clock.now());
    this.#cancelWake = this.#outside.clock.after(wait, () => this.#take({ kind: 'wake' }));
  }

  #carryOut(effect: DirectEffect): void {
    switch (effect.kind) {
      case 'say':
        this.#outside.say({ from: effect.to.self, to: effect.to.other, say: effect.say });
        return;
      case 'offer':
        this.#open(effect)?.offer();
        return;
      case 'answer':
        this.#open(effect)?.answer(effect.sdp);
        return;
      case 'take':
        this.#connection?.take(effect.say);
        return;
      case 'prefer':
        this.#ways.prefer(effect.way, this.#connection);
        this.#outside.shown();
        return;
      case 'rest':
        this.#resting = effect.sources;
        this.#outside.rest();
        return;
      default:
        this.#connection?.close();
        this.#connection = undefined;
        this.#ways.end();
        this.#outside.shown();
    }
  }

  #open({ with: pair, attempt }: Extract<DirectEffect, { kind: 'offer' | 'answer' }>): DirectConnection | undefined {
    const transforms = this.#outside.transforms();
    if (!transforms) {
      this.#take({ kind: 'broken', attempt });
      return undefined;
    }
    const { clock, codec } = this.#outside;
    this.#connection = new DirectConnection({
      clock,
      codec,
      transforms,
      attempt,
      other: pair.other,
      configuration: this.#outside.configuration(),
      say: (say) => this.#outside.say({ from: pair.self, to: pair.other, say }),
      connected: () => {
        this.#take({ kind: 'connected', attempt });
        this.#send();
        this.#outside.connected();
      },
      broken: () => this.#take({ kind: 'broken', attempt }),
    });
    return this.#connection;
  }
}
