/**
 * One direct connection to one other Peer: made once, never repaired, given up when nothing comes by it. Descriptions and
 * addresses go through whoever made it; frames go through the same worker, under the same keys, as by the server.
 */
import { CANDIDATES_MAX, type DirectStep } from '@veilcast/e2ee/said';
import type { Clock, Source } from '@veilcast/protocol';
import { fittingLayer, type CaptureSize } from '../media/ladder.ts';
import { makeKeyFrame } from '../media/publishing.ts';
import type { StatsEntries } from '../media/stats.ts';
import { Beats } from './beats.ts';
import { arm, DIRECT_SOURCES, hasOurSections, withStereo, type StreamsOptions } from './streams.ts';

/** Addresses that come within this go in one message. */
const GATHER_MS = 30;
/** Addresses of one try, of the other and of us. A browser with many networks has some thirty. */
const ADDRESSES_MAX = 128;
const SPEECH_BITRATE = 40_000;
const MUSIC_BITRATE = 128_000;

type Say = (say: DirectStep) => void;

export interface ConnectionOptions extends StreamsOptions {
  readonly clock: Clock;
  readonly configuration: RTCConfiguration;
  readonly say: Say;
  readonly connected: () => void;
  /** Nothing comes by it any more, or it could not be made. Once. */
  readonly broken: () => void;
}

export class DirectConnection {
  readonly attempt: number;
  readonly #options: ConnectionOptions;
  readonly #connection: RTCPeerConnection;
  readonly #beats: Beats;
  readonly #streams = new Map<Source, RTCRtpTransceiver>();
  #fits = new Map<Source, CaptureSize>();
  #gathered: { candidate: string; mid: string }[] = [];
  #cancelGather: (() => void) | undefined;
  #sent = 0;
  #taken = 0;
  /** Addresses may come before the description that they belong to. */
  #early: RTCIceCandidateInit[] | undefined = [];
  #over = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.attempt = options.attempt;
    // Fails closed: what has no transform yet is held by Chromium and not let through as it is.
    const closed = { encodedInsertableStreams: true };
    this.#connection = new RTCPeerConnection({ ...options.configuration, ...closed, bundlePolicy: 'max-bundle' });
    const connection = this.#connection;
    this.#beats = new Beats(connection, options.clock, () => this.#break());
    connection.onicecandidate = ({ candidate }) => this.#gather(candidate);
    connection.onconnectionstatechange = () => {
      const { connectionState } = connection;
      if (this.#over) return;
      if (connectionState === 'connected') {
        this.#beats.start();
        options.connected();
      } else if (connectionState === 'failed' || connectionState === 'closed') this.#break();
      // `disconnected` is one late answer of a busy browser, too; beats know better.
    };
  }

  /** Offers. What fails counts as broken. */
  offer(): void {
    this.#try(async () => {
      for (const source of DIRECT_SOURCES) {
        const kind = source === 'camera' || source === 'screen' ? 'video' : 'audio';
        this.#arm(this.#connection.addTransceiver(kind, { direction: 'sendrecv' }), source);
      }
      await this.#describe('offer');
    });
  }

  answer(sdp: string): void {
    this.#try(async () => {
      await this.#accept('offer', sdp);
      // In the same task: Chromium takes a stream that has no transform by the next one for a clear one.
      for (const [at, transceiver] of this.#connection.getTransceivers().entries()) {
        this.#arm(transceiver, DIRECT_SOURCES[at]!);
        transceiver.direction = 'sendrecv';
      }
      await this.#describe('answer');
      await this.#takeEarly();
    });
  }

  take(say: Extract<DirectStep, { step: 'answer' | 'candidates' | 'fits' }>): void {
    this.#try(async () => {
      if (say.step === 'answer') {
        await this.#accept('answer', say.sdp);
        await this.#takeEarly();
      } else if (say.step === 'fits') {
        this.#fits = new Map(say.tiles.map(({ source, width, height }) => [source, { width, height }]));
        for (const source of this.#fits.keys()) await this.#fit(source);
      } else {
        for (const { candidate, mid } of say.list) await this.#address({ candidate, sdpMid: mid });
      }
    });
  }

  /** Null: nothing of it leaves. */
  async send(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const sender = this.#streams.get(source)?.sender;
    if (!sender || this.#over) return;
    if (sender.track !== track) await sender.replaceTrack(track).catch(() => this.#break());
    await this.#fit(source);
  }

  async makeKeyFrame(source: Source): Promise<void> {
    const sender = this.#streams.get(source)?.sender;
    if (sender && !this.#over) await makeKeyFrame(sender);
  }

  receiver(source: Source): RTCRtpReceiver | undefined {
    return this.#streams.get(source)?.receiver;
  }

  async getStats(): Promise<StatsEntries> {
    return new Map((await this.#connection.getStats()).entries());
  }

  /** Something came by it, whatever it was. */
  heard(): void {
    this.#beats.heard();
  }

  close(): void {
    this.#over = true;
    this.#cancelGather?.();
    this.#beats.close();
    this.#connection.close();
  }

  #arm(transceiver: RTCRtpTransceiver, source: Source): void {
    arm(transceiver, source, this.#options);
    this.#streams.set(source, transceiver);
  }

  async #describe(type: 'offer' | 'answer'): Promise<void> {
    const made = type === 'offer' ? await this.#connection.createOffer() : await this.#connection.createAnswer();
    const sdp = withStereo(made.sdp ?? '');
    // Said before it is set: addresses are gathered from then on.
    this.#options.say({ step: type, attempt: this.attempt, sdp });
    await this.#connection.setLocalDescription({ type, sdp });
  }

  async #accept(type: 'offer' | 'answer', sdp: string): Promise<void> {
    if (!hasOurSections(sdp)) throw new TypeError('not a description of our streams');
    await this.#connection.setRemoteDescription({ type, sdp });
  }

  async #takeEarly(): Promise<void> {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const one of early) await this.#connection.addIceCandidate(one).catch(() => undefined);
  }

  async #address(init: RTCIceCandidateInit): Promise<void> {
    this.#taken += 1;
    if (this.#taken > ADDRESSES_MAX) return;
    if (this.#early) this.#early.push(init);
    // One that this browser does not understand is one less.
    else await this.#connection.addIceCandidate(init).catch(() => undefined);
  }

  #gather(candidate: RTCIceCandidate | null): void {
    if (candidate && candidate.candidate !== '' && this.#sent < ADDRESSES_MAX) {
      this.#sent += 1;
      this.#gathered.push({ candidate: candidate.candidate, mid: candidate.sdpMid ?? '' });
    }
    this.#cancelGather ??= this.#options.clock.after(GATHER_MS, () => {
      this.#cancelGather = undefined;
      for (let list = this.#gathered.splice(0, CANDIDATES_MAX); list.length > 0;) {
        this.#options.say({ step: 'candidates', attempt: this.attempt, list });
        list = this.#gathered.splice(0, CANDIDATES_MAX);
      }
    });
  }

  /** One encoding, as large as the other shows it. */
  async #fit(source: Source): Promise<void> {
    const sender = this.#streams.get(source)?.sender;
    const track = sender?.track;
    if (!sender || !track || this.#over) return;
    const parameters = sender.getParameters();
    const [encoding] = parameters.encodings;
    if (!encoding) return;
    const before = JSON.stringify(encoding);
    if (track.kind === 'audio') encoding.maxBitrate = source === 'microphone' ? SPEECH_BITRATE : MUSIC_BITRATE;
    else {
      const { width = 640, height = 360 } = track.getSettings();
      Object.assign(encoding, fittingLayer({ width, height }, source, this.#fits.get(source)));
    }
    // Asked for at each change of the call; an encoder that is set anew costs a picture.
    if (JSON.stringify(encoding) === before) return;
    // A browser that cannot change it sends more than is needed.
    await sender.setParameters(parameters).catch(() => undefined);
  }

  #try(step: () => Promise<void>): void {
    step().catch(() => this.#break());
  }

  #break(): void {
    if (this.#over) return;
    this.#over = true;
    this.#beats.close();
    this.#options.broken();
  }
}
