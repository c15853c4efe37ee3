/**
 * A call that outlives its connections: keeps what the application wants (tracks, name, tiles), takes a Seat in the Room,
 * and a new one when that is lost, until somebody ends it.
 */
import {
  ClusterError,
  type AnyEvent,
  type Clock,
  type PeerId,
  type ProducerView,
  type Source,
} from '@veilcast/protocol';
import { CHAT_MAX, NAME_MAX } from '@veilcast/e2ee/said';
import { CallSteering } from './adaptation/call-steering.ts';
import { GIVE_UP_MS, KEYS_PAUSE_MS, backoffMs, mayJoinAgain } from './backoff.ts';
import type { SafetyNumber } from '@veilcast/e2ee/identity';
import type { Call, CallEvents, CallReport, CallSnapshot, ConnectOptions, ShownTile } from './call.ts';
import { browserClock, pause, pauseOrOnline } from './clock.ts';
import type { Dialer } from './dialer.ts';
import { CallEmitter } from './emitter.ts';
import { DirectCall } from './direct/direct-call.ts';
import { hosting } from './hosting.ts';
import { PeopleIdentities } from './people-identities.ts';
import { RoomPicture } from './picture.ts';
import { pathReport } from './path-report.ts';
import { dialerOf, SeatWorkers } from './prepare.ts';
import { Publications } from './publications.ts';
import { RemoteTracks } from './received.ts';
import { callReport } from './report.ts';
import type { SeatMedia } from './seat-media.ts';
import type { SeatListeners } from './seat-listeners.ts';
import { Seat } from './seat.ts';
import { callError, emptySnapshot, SnapshotStore } from './snapshot.ts';
import { TalkPicture } from './talk-picture.ts';
import { Talk } from './talk.ts';
import type { GroupStanding, GroupWarning } from './workers/messages.ts';

export class LiveCall implements Call {
  readonly #options: ConnectOptions;
  readonly #clock: Clock = browserClock;
  readonly #startedAt: number;
  readonly #name: string;
  readonly #emitter = new CallEmitter();
  readonly #store: SnapshotStore;
  readonly #picture: RoomPicture;
  readonly #publications: Publications;
  readonly #remote: RemoteTracks;
  readonly #steering: CallSteering;
  readonly #identities: PeopleIdentities;
  readonly #talk: Talk;
  readonly #talkPicture: TalkPicture;
  readonly #dialer: Dialer;
  readonly #direct: DirectCall;
  #seat: Seat | undefined;
  #joinMs: number | null = null;
  #comingBack = false;
  #ended = false;

  private constructor(options: ConnectOptions) {
    this.#options = options;
    this.#startedAt = this.#clock.now();
    this.#name = (options.name ?? '').trim().slice(0, NAME_MAX);
    this.#store = new SnapshotStore(emptySnapshot(this.#name), (snapshot) => this.#emitter.emit('change', snapshot));
    this.#picture = new RoomPicture(this.#store);
    const [store, picture] = [this.#store, this.#picture];
    this.#dialer = dialerOf(options);
    const urls = (): readonly string[] => this.#dialer.urls;
    this.#identities = new PeopleIdentities({ ...options, urls, store, picture, warned: (one) => this.#warn(one) });
    this.#publications = new Publications(
      (published, muted) => this.#store.setSelf({ published, muted }),
      (source) => void this.unpublish(source).catch(() => undefined),
    );
    this.#talkPicture = new TalkPicture(this.#store, this.#picture.people);
    this.#talk = new Talk({
      clock: this.#clock,
      heard: ({ kind, stream, number }) => {
        const line = kind === 'chat' ? this.#talkPicture.line(this.#talk, stream, number) : undefined;
        if (line) this.#emitter.emit('chat', line);
      },
      changed: () => this.#talkPicture.drawSoon(this.#talk),
      refused: (reason) => this.#picture.refused(reason),
    });
    void this.#talk.say('profile', { name: this.#name });
    this.#identities.gossip(this.#talk, this.#clock);
    const [clock, publications, talk] = [this.#clock, this.#publications, this.#talk];
    const seat = (): Seat | undefined => this.#seat;
    this.#direct = new DirectCall(options, { clock, store, publications, talk, seat, remote: () => this.#remote });
    this.on('change', (snapshot) => this.#direct.follow(snapshot));
    this.#remote = new RemoteTracks({
      clock,
      people: this.#picture.people,
      emitter: this.#emitter,
      seat,
      shown: () => this.#direct.shown(),
      directStats: () => this.#direct.stats(),
      firstFrame: () => void (this.#joinMs ??= Math.round(this.#clock.now() - this.#startedAt)),
    });
    this.#steering = new CallSteering({ clock, store, talk, remote: this.#remote, direct: this.#direct, seat });
  }

  /** @throws ClusterError */
  static async connect(options: ConnectOptions): Promise<LiveCall> {
    const call = new LiveCall(options);
    try {
      for (let tries = 1; ; tries++) {
        try {
          await call.#takeSeat();
          return call;
        } catch (thrown) {
          const error = ClusterError.of(thrown);
          if (!mayJoinAgain(error, tries, call.#clock.now() - call.#startedAt)) throw error;
          await pause(call.#clock, backoffMs(tries, Math.random(), error.retryMs));
        }
      }
    } catch (thrown) {
      call.#close();
      throw thrown;
    }
  }

  get snapshot(): CallSnapshot {
    return this.#store.snapshot;
  }

  on<E extends keyof CallEvents>(event: E, listener: (...args: CallEvents[E]) => void): () => void {
    return this.#emitter.on(event, listener);
  }

  async publish(stream: MediaStream, sources: { audio?: Source; video?: Source } = {}): Promise<void> {
    this.#requireOpen();
    await Promise.all(
      stream.getTracks().map(async (track) => {
        const source = track.kind === 'audio' ? (sources.audio ?? 'microphone') : (sources.video ?? 'camera');
        this.#publications.put(source, track);
        try {
          await this.#onSeat((media) => media.publishing.publish(source, track, this.#publications.isMuted(source)));
        } catch (thrown) {
          this.#publications.remove(source);
          throw thrown;
        }
      }),
    );
  }

  async unpublish(source: Source): Promise<void> {
    this.#publications.remove(source);
    await this.#onSeat((media) => media.publishing.unpublish(source));
  }

  async setMuted(source: Source, muted: boolean): Promise<void> {
    this.#publications.mute(source, muted);
    await this.#onSeat((media) => media.publishing.setMuted(source, muted));
  }

  async replaceTrack(source: Source, track: MediaStreamTrack): Promise<void> {
    this.#publications.put(source, track);
    await this.#onSeat((media) => media.publishing.replaceTrack(source, track));
  }

  showTiles(tiles: readonly ShownTile[]): void {
    this.#remote.showTiles(tiles);
    this.#direct.showTiles(tiles);
  }

  hideAddress(hidden: boolean): void {
    this.#direct.hideAddress(hidden);
  }

  async say(text: string): Promise<void> {
    if (text.length > CHAT_MAX) throw new ClusterError('OVERSIZE', `a chat line has at most ${CHAT_MAX} characters`);
    if (text.trim() === '') return;
    this.#joined();
    await this.#talk.say('chat', { text, at: Date.now() });
  }

  async raiseHand(raised: boolean): Promise<void> {
    this.#store.setSelf({ handRaised: raised });
    this.#joined();
    await this.#talk.say('hand', { raised });
  }

  readonly #hosting = hosting(() => this.#joined().signaling);
  readonly setLocked = this.#hosting.setLocked;
  readonly admit = this.#hosting.admit;
  readonly deny = this.#hosting.deny;
  readonly kick = this.#hosting.kick;

  readonly safetyNumber = (peerId: PeerId): SafetyNumber => this.#identities.safetyNumber(peerId);

  readonly verify = (peerId: PeerId, verified = true): Promise<void> => this.#identities.verify(peerId, verified);

  async report(): Promise<CallReport> {
    const received = await this.#remote.report();
    const direct = this.snapshot.direct ? await this.#direct.stats() : undefined;
    const path = await pathReport(this.#seat?.media?.transports, direct);
    const adaptation = this.#steering.report();
    return callReport({ snapshot: this.snapshot, ...path, joinMs: this.#joinMs, received, adaptation });
  }

  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#end(undefined);
    await this.#seat?.leave();
  }

  /** Joins as a new Peer. Once admitted, or at the door, the new Seat replaces the old one. @throws ClusterError */
  async #takeSeat(): Promise<void> {
    const { token, region, codec = 'vp8', prepared, authorityPin, bundle, relay = false, queued } = this.#options;
    const given = Promise.resolve(typeof token === 'string' ? token : token());
    const workers = prepared instanceof SeatWorkers && prepared.take() ? prepared : new SeatWorkers();
    const former = (): Seat | undefined => this.#seat;
    const own = { identity: this.#identities.own, dialer: this.#dialer, workers, clock: this.#clock, former };
    const listeners = this.#listeners((): Seat => seat);
    const seat = new Seat(
      { token: given, authorityPin, bundle, region, codec, relayOnly: relay, queued, ...own },
      listeners,
    );
    try {
      await seat.join();
    } catch (thrown) {
      seat.close();
      throw thrown;
    }
    if (this.#ended) {
      seat.close();
      throw new ClusterError('CLOSED');
    }
  }

  #listeners(seat: () => Seat): SeatListeners {
    let self: PeerId | undefined;
    return {
      waiting: () => {
        if (this.#ended) return;
        this.#sitDown(seat());
        this.#store.set({ state: 'waiting' });
        void seat()
          .signaling.request('knock', { name: this.#name || 'Guest' })
          .catch(() => undefined);
      },
      admitted: (admission, media) => {
        // Somebody left while we were coming back: the Seat is closed as soon as it knows itself.
        if (this.#ended) return;
        this.#sitDown(seat());
        this.#picture.admitted(admission, seat().former?.formerOf);
        this.#direct.admitted(admission);
        void this.#identities.sitDown(admission.participantId, seat().root);
        this.#talkPicture.drawSoon(this.#talk);
        for (const { producers } of admission.peers) this.#noteMuted(producers);
        void this.#resume(media);
      },
      moved: (place, media) => {
        this.#picture.moved(place);
        return this.#resume(media);
      },
      formerOver: () => this.#picture.people.forgetFormer(),
      event: (event) => this.#take(event),
      ...this.#direct.listeners,
      seated: (peerId) => {
        self = peerId;
        this.#talk.sit(peerId, seat().group);
      },
      ...this.#identities.listeners,
      standing: (standing) => this.#follow(standing, self, seat()),
      heard: (speaker, plaintext) => this.#talk.hear(speaker, plaintext),
      refused: (reason) => this.#picture.refused(reason),
      warned: (warning) => this.#warn(warning),
      lock: (consumerId, lock) => this.#remote.setLock(consumerId, lock),
      counts: (counts) => {
        if (seat() === this.#seat) this.#picture.counted(counts);
      },
      mediaFailed: (error) => {
        if (seat() === this.#seat && !this.#ended) this.#store.set({ error: callError(error) });
      },
      lost: (error) => void this.#comeBack(seat(), error),
    };
  }

  #warn(warning: GroupWarning): void {
    this.#picture.warned(warning);
    this.#emitter.emit('warning', warning);
  }

  #sitDown(seat: Seat): void {
    const old = this.#seat;
    this.#seat = seat;
    if (!old || old === seat) return;
    this.#picture.newWorkers();
    this.#picture.notEncrypted('waiting');
    this.#direct.forsake();
    if (seat.former) return;
    this.#remote.forget();
    old.close();
  }

  /** What the application wanted before holds for a new Seat too. */
  async #resume(media: SeatMedia): Promise<void> {
    this.#direct.resume(media);
    const [failure] = await this.#publications.publishAll(media.publishing);
    // Nobody waits for this promise, so the person must see it.
    if (failure !== undefined && !this.#seat?.lostWith) this.#store.set({ error: callError(ClusterError.of(failure)) });
  }

  #take(event: AnyEvent): void {
    if (event.name === 'producerOpened') this.#noteMuted([event.body.producer]);
    if (event.name === 'peerJoined') this.#noteMuted(event.body.peer.producers);
    this.#remote.take(event);
    this.#picture.take(event);
    if (event.name === 'peerJoined') this.#talkPicture.drawSoon(this.#talk);
  }

  #noteMuted(producers: readonly ProducerView[]): void {
    for (const { peerId, producerId, paused } of producers) if (paused) this.#remote.setMuted(peerId, producerId, true);
  }

  #follow(standing: GroupStanding, self: PeerId | undefined, seat: Seat): void {
    if (seat.lostWith) return;
    this.#picture.standing(standing);
    // This Peer gets no keys any more; another one, with a new credential, does.
    if (standing.kind === 'failed') {
      void this.#comeBack(seat, new ClusterError('KEYS_FAILED', undefined, { retryMs: KEYS_PAUSE_MS }));
    }
    if (self) this.#talk.follow(self, standing, seat.group);
    if (standing.kind === 'epoch') this.#emitter.emit('keys', standing.change);
  }

  /** Takes Seats until one holds, the server says never, or nobody can still be waiting for it. */
  async #comeBack(lost: Seat, reason: ClusterError): Promise<void> {
    if (this.#ended || lost !== this.#seat || this.#comingBack) return;
    if (reason.retry === 'never') return this.#end(reason);
    this.#comingBack = true;
    this.#store.set({ state: 'reconnecting', error: callError(reason) });
    const since = this.#clock.now();
    let { retryMs } = reason;
    for (let tries = 0; !this.#ended && this.#seat === lost; tries++) {
      await pauseOrOnline(this.#clock, backoffMs(tries, Math.random(), retryMs));
      if (this.#ended) return;
      try {
        await this.#takeSeat();
      } catch (thrown) {
        const error = ClusterError.of(thrown);
        retryMs = error.retryMs;
        if (error.retry === 'never' || this.#clock.now() - since > GIVE_UP_MS) return this.#end(error);
      }
    }
    this.#comingBack = false;
    // It may have been lost again before we looked.
    if (this.#seat?.lostWith) await this.#comeBack(this.#seat, this.#seat.lostWith);
  }

  #end(reason: ClusterError | undefined): void {
    if (this.#ended) return;
    const error = reason && callError(reason);
    this.#store.set({ state: 'ended', error });
    this.#picture.notEncrypted('waiting');
    this.#close();
    // An ordinary leave says goodbye first and closes the Seat itself.
    if (reason) this.#seat?.close();
    this.#emitter.emit('ended', error);
  }

  #close(): void {
    this.#ended = true;
    this.#talk.close();
    this.#identities.close();
    this.#dialer.close();
    this.#direct.close();
    this.#steering.close();
    this.#remote.close();
    this.#publications.close();
  }

  /** What fails because the Seat was lost or moved is no failure: the next place is given all that the application wants. */
  async #onSeat(step: (media: SeatMedia) => Promise<void>): Promise<void> {
    const seat = this.#seat;
    const media = seat?.media;
    // What is changed is changed wherever it is sent.
    seat?.former?.end();
    if (!media || seat.lostWith) return;
    try {
      await step(media);
    } catch (thrown) {
      const isThere = seat.media === media && !seat.lostWith;
      if (isThere && seat === this.#seat && !this.#ended) throw ClusterError.of(thrown);
    }
  }

  #requireOpen(): void {
    if (this.#ended) throw new ClusterError('CLOSED');
  }

  /** @throws ClusterError CLOSED, NOT_JOINED */
  #joined(): Seat {
    this.#requireOpen();
    if (!this.#seat) throw new ClusterError('NOT_JOINED');
    return this.#seat;
  }
}
