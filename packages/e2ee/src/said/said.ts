/**
 * Everything that is said in a Room besides media, as one member says and hears it (ADR 0019): in order, once, and from
 * whom MLS says it is. It outlives connections: the stream and what was not taken yet go on with the next Peer.
 *
 * Pure: `now` in ms is an argument; who carries frames and wakes it up is the shell (packages/client, talk.ts).
 */
import { ClusterError, type PeerId } from '@veilcast/protocol';
import { decodeFrame, firstNumber, PIECE_BYTES, type SaidFrame } from './frame.ts';
import { ASKS_MAX, type Missing, type Taken } from './incoming.ts';
import {
  decodeSaid,
  isKindName,
  KINDS,
  type AnySaid,
  type KindName,
  type Saying,
  type SayingName,
  type ValueOf,
} from './kinds.ts';
import type { HistoryEntry } from './kinds/repair.ts';
import { LamportClock } from './lamport.ts';
import { Memory } from './memory.ts';
import { earliest, Newcomers, type Standing } from './newcomers.ts';
import { Outgoing, type Sending } from './outgoing.ts';
import { Gathering } from './pieces.ts';
import { PerSecond } from './rate.ts';
import { Streams, type Speaker, type Stream } from './streams.ts';

/** Questions that we put, whatever is missing: what a hostile speaker makes members ask is bounded by it. */
const ASKS_PER_SECOND = 8;
/** Answers about those who are gone, whoever asks. */
const ANSWERS_PER_SECOND = 2;
/** After so much quiet a speaker says where its stream ends. */
export const QUIET_MS = 4_000;
/** After newcomers everybody says again who they are, so that nobody's name hangs on another's memory: that much later, */
export const REPEAT_AFTER_MS = 5_000;
/** and this far apart by place in the group. */
const REPEAT_SPREAD_MS = 40;

export type Heard = Saying & {
  readonly by: PeerId;
  readonly stream: string;
  readonly number: number;
  readonly late: boolean;
};

export type SaidRefusal =
  | 'malformed'
  | 'unknown-kind'
  | 'not-allowed'
  | 'wrong-owner'
  | 'too-many-streams'
  | 'duplicate'
  | 'not-asked'
  | 'contradiction';

export interface SaidOutside {
  heard(heard: Heard): void;
  /** The log or the latest of somebody changed. */
  recorded(): void;
  /** Counted, never shown by itself. */
  refused(reason: SaidRefusal): void;
  /** Frames of this speaker will not come any more. */
  lost(by: PeerId, count: number): void;
}

interface How {
  readonly speaker: Speaker;
  readonly clock: number;
  readonly late: boolean;
  readonly now: number;
}

interface Whole extends How {
  readonly frame: SaidFrame;
  readonly payload: Uint8Array;
}

export class Said {
  readonly memory: Memory;
  readonly #stream: string;
  readonly #outside: SaidOutside;
  readonly #outgoing: Outgoing;
  readonly #clock = new LamportClock();
  readonly #streams: Streams;
  /** Pieces of loose things; they die with their Peer. */
  readonly #loose = new Map<PeerId, Gathering>();
  /** Members whom we asked about a speaker who is gone: they may tell. */
  readonly #asked = new Set<PeerId>();
  readonly #newcomers = new Newcomers();
  readonly #own = new Map<SayingName, Uint8Array>();
  readonly #asks = new PerSecond(ASKS_PER_SECOND);
  readonly #answers = new PerSecond(ANSWERS_PER_SECOND);
  #self: PeerId | undefined;
  #standing: Standing | undefined;
  #quietAt: number | undefined;
  #repeatAt: number | undefined;

  /** `stream`: 16 random bytes as hexadecimal digits. */
  constructor(stream: string, outside: SaidOutside) {
    this.#stream = stream;
    this.#outside = outside;
    this.#outgoing = new Outgoing(stream);
    this.#streams = new Streams(stream);
    this.memory = new Memory(this.#clock);
  }

  get stream(): string {
    return this.#stream;
  }

  /** When `wake` has something to do, in ms. */
  get wakeAt(): number | undefined {
    const gaps = [...this.#streams.all()].map(([, { incoming }]) => incoming.wakeAt);
    return earliest(this.#newcomers.wakeAt, this.#quietAt, this.#repeatAt, ...gaps);
  }

  /**
   * Says something to everybody, now or as soon as there is a group. `said` is called when the delivery service took it.
   * @throws ZodError for a value outside its kind's limits, ClusterError OVERSIZE, OVERLOADED
   */
  say<N extends SayingName>(kind: N, value: ValueOf<N>, now: number, said?: () => void): void {
    // One kind and its value belong together; the type checker cannot follow that through the table.
    const payload = (KINDS[kind].encode as (value: ValueOf<N>) => Uint8Array)(value);
    if (KINDS[kind].keep === 'last') {
      this.#own.set(kind, payload);
      // Without a group it is told when there is one, as all that newcomers must know.
      if (!this.#standing) {
        said?.();
        return;
      }
    }
    this.#speak(kind, payload, now, said);
  }

  /** Whether what we said under this number is still on its way. */
  isPending(number: number): boolean {
    return this.#outgoing.isOpen(number);
  }

  /** Who we are now, before there is a group to say anything to. */
  sit(self: PeerId): void {
    this.#self = self;
  }

  /** The next frame to seal and hand to the delivery service. */
  take(): Sending | undefined {
    return this.#standing ? this.#outgoing.take() : undefined;
  }

  /** The delivery service took it. */
  taken(id: number): void {
    this.#outgoing.taken(id);
  }

  /** It may be taken or not: it goes out again. */
  untaken(id: number): void {
    this.#outgoing.untaken(id);
  }

  /** A new Epoch. */
  follow(standing: Standing, now: number): void {
    const before = this.#standing;
    this.#standing = standing;
    this.#self = standing.self;
    const here = new Set(standing.members);
    this.memory.latest.retain(here);
    for (const peerId of this.#loose.keys()) if (!here.has(peerId)) this.#loose.delete(peerId);
    for (const peerId of this.#asked) if (!here.has(peerId)) this.#asked.delete(peerId);
    this.#streams.follow(standing);
    this.#newcomers.follow(standing, now);
    if (standing.entered && before?.self !== standing.self) this.#introduce(now);
    else if (standing.entered || standing.added.length > 0) {
      const place = standing.members.indexOf(standing.self);
      this.#repeatAt ??= now + REPEAT_AFTER_MS + place * REPEAT_SPREAD_MS;
    }
    this.#outside.recorded();
  }

  /** There is no group for now. What is to be said waits. */
  forsake(): void {
    this.#standing = undefined;
  }

  /** An opened application message of another member. Never throws. */
  hear(speaker: Speaker, bytes: Uint8Array, now: number): void {
    const frame = decodeFrame(bytes);
    if (!frame) return this.#outside.refused('malformed');
    if (isKindName(frame.kind) && KINDS[frame.kind].way !== frame.way) return this.#outside.refused('not-allowed');
    if (frame.way === 'loose') {
      const gathering = this.#loose.get(speaker.peerId) ?? new Gathering();
      this.#loose.set(speaker.peerId, gathering);
      return this.#gather(frame, gathering, { speaker, clock: frame.clock, late: false, now });
    }
    const stream = this.#streamOf(speaker, frame);
    if (typeof stream === 'string') return this.#outside.refused(stream);
    return this.#deliver(stream, stream.incoming.take(frame, now), now);
  }

  /** To be called at `wakeAt`; earlier does no harm. */
  wake(now: number): void {
    const { tell, ask } = this.#newcomers.due(now);
    if (tell.length > 0) this.#tellHistory(tell, now);
    if (ask) this.#speak('askHistory', KINDS.askHistory.encode({ of: ask }), now);
    for (const [id, stream] of this.#streams.all()) {
      const { ask: missing, taken } = stream.incoming.due(now);
      this.#deliver(stream, taken, now);
      if (missing) this.#askFor(id, stream, missing, now);
    }
    if (this.#repeatAt !== undefined && now >= this.#repeatAt) this.#introduce(now);
    if (this.#quietAt !== undefined && now >= this.#quietAt) this.#afterQuiet(now);
  }

  #speak(kind: KindName, payload: Uint8Array, now: number, said?: () => void): void {
    const { bytesMax, way, keep } = KINDS[kind];
    if (payload.length > bytesMax) throw new ClusterError('OVERSIZE', `${kind} has at most ${bytesMax} bytes`);
    if (this.#outgoing.room < payload.length / PIECE_BYTES + 1) throw new ClusterError('OVERLOADED');
    if (way === 'ordered') this.#quietAt = now + QUIET_MS;
    const clock = this.#clock.tick();
    const number = this.#outgoing.say(kind, payload, way, clock, said);
    if (keep !== 'nothing' && this.#self) {
      this.memory.heard(kind as SayingName, payload, this.#self, { stream: this.#stream, number, clock });
      this.#outside.recorded();
    }
  }

  #afterQuiet(now: number): void {
    this.#quietAt = this.#outgoing.busy ? now + QUIET_MS : undefined;
    if (this.#quietAt === undefined) this.#speak('heads', KINDS.heads.encode({ next: this.#outgoing.next }), now);
  }

  /** Says again what newcomers must know of us. */
  #introduce(now: number): void {
    this.#repeatAt = undefined;
    for (const [kind, payload] of this.#own) this.#speak(kind, payload, now);
  }

  #streamOf(speaker: Speaker, frame: SaidFrame): ReturnType<Streams['of']> {
    const remembered = (): number | undefined => this.memory.remembersUpTo(frame.stream, firstNumber(frame));
    return this.#streams.of(speaker, frame, remembered);
  }

  #deliver(stream: Stream, { delivered, passed, duplicate }: Taken, now: number): void {
    if (duplicate) this.#outside.refused('duplicate');
    if (passed > 0) this.#outside.lost(stream.speaker, passed);
    for (const { frame, late } of delivered) {
      const clock = this.#clock.observe(frame.clock, late ? 0 : stream.clock);
      if (!late) stream.clock = clock;
      const speaker = { peerId: stream.speaker, owner: stream.owner };
      this.#gather(frame, stream.gathering, { speaker, clock, late, now });
    }
  }

  #gather(frame: SaidFrame, gathering: Gathering, how: How): void {
    if (!isKindName(frame.kind)) return this.#outside.refused('unknown-kind');
    const gathered = gathering.add(frame, KINDS[frame.kind].bytesMax);
    if (gathered.outcome === 'more') return undefined;
    const said = gathered.outcome === 'whole' ? decodeSaid(frame.kind, gathered.payload) : undefined;
    if (!said || gathered.outcome !== 'whole') return this.#outside.refused('malformed');
    return this.#hearWhole(said, { frame, payload: gathered.payload, ...how });
  }

  #hearWhole(said: AnySaid, { frame, payload, speaker, clock, late, now }: Whole): void {
    const self = this.#standing?.self;
    const by = speaker.peerId;
    const { stream } = frame;
    switch (said.kind) {
      case 'ask':
        if (said.value.of === self) this.#answer(by, said.value, now);
        // The answer is for all: one question is enough.
        else this.#streams.get(said.value.stream)?.incoming.askedByAnother(said.value.from, now);
        return;
      case 'heads': {
        const spoken = this.#streamOf(speaker, { ...frame, way: 'ordered', number: said.value.next });
        if (typeof spoken !== 'string') spoken.incoming.ends(said.value.next, now);
        return;
      }
      case 'askHistory':
        if (said.value.of === self && this.#newcomers.asked(by, now)) this.#tellHistory([by], now);
        return;
      case 'history':
        if (self && said.value.for.includes(self)) this.#remember(by, said.value.entries, now);
        return;
      default: {
        const number = firstNumber(frame);
        if (this.memory.heard(said.kind, payload, by, { stream, number, clock })) this.#outside.recorded();
        this.#outside.heard({ ...said, by, stream, number, late });
      }
    }
  }

  /** The speaker itself is asked first; when it is gone or silent, the first member that may remember. */
  #askFor(id: string, stream: Stream, missing: Missing, now: number): void {
    const members = this.#standing?.members ?? [];
    const others = members.filter((peerId) => peerId !== this.#standing?.self && peerId !== stream.speaker);
    const here = members.includes(stream.speaker);
    const of = here && missing.tries < ASKS_MAX ? stream.speaker : others[0];
    // Nobody is left who could know: waiting for the rest of the tries would only hold up what came.
    if (!of) return this.#deliver(stream, stream.incoming.giveUp(now), now);
    if (!this.#asks.take(now)) return undefined;
    if (of !== stream.speaker) this.#asked.add(of);
    return this.#speak('ask', KINDS.ask.encode({ of, stream: id, from: missing.from, count: missing.count }), now);
  }

  #answer(by: PeerId, { stream, from, count }: ValueOf<'ask'>, now: number): void {
    if (stream === this.#stream) {
      this.#outgoing.again(from, count, now);
      return;
    }
    const entries = this.#answers.take(now) ? this.memory.answerOn(stream, from, count) : [];
    if (entries.length > 0) this.#speak('history', KINDS.history.encode({ for: [by], entries }), now);
  }

  #tellHistory(to: readonly PeerId[], now: number): void {
    const entries = this.memory.answer();
    this.#speak('history', KINDS.history.encode({ for: [...to], entries }), now);
  }

  #remember(by: PeerId, entries: readonly HistoryEntry[], now: number): void {
    const asked = this.#asked.delete(by);
    if (!this.#newcomers.told(by) && !asked) return this.#outside.refused('not-asked');
    const { malformed, contradictions } = this.memory.remember(by, entries, {
      ours: this.#stream,
      present: new Set(this.#standing?.members),
    });
    for (let i = 0; i < malformed; i++) this.#outside.refused('malformed');
    for (let i = 0; i < contradictions; i++) this.#outside.refused('contradiction');
    this.#outside.recorded();
    // What is remembered of a gap is all there will be of it.
    if (!asked) return undefined;
    const told = new Set(entries.map(({ stream }) => stream));
    for (const [id, stream] of this.#streams.all()) {
      if (told.has(id)) this.#deliver(stream, stream.incoming.giveUp(now), now);
    }
    return undefined;
  }
}
