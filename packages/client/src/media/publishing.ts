/**
 * What this Peer sends: one Producer for each Source, each with its transform set before the first frame can leave.
 * The tracks belong to the application: closing a Producer does not stop them, so that they can be published again.
 */
import { ClusterError, type ProducerId, type Source } from '@veilcast/protocol';
import type { types } from 'mediasoup-client';
import type { Signaling } from '../socket.ts';
import type { Codec } from '@veilcast/sframe';
import type { Transforms } from '../transforms.ts';
import type { SendCeiling } from '../adaptation/adapt.ts';
import { layersUnder } from '../adaptation/ceiling.ts';
import { chooseCodec, codecOf, type VideoCodec } from './codec.ts';
import { encodingsOf, watchedOf, type CaptureSize } from './ladder.ts';
import { hasSpatialLayers } from './scalability.ts';
import type { Transports } from './transports.ts';

/** Speech is clear from 24 kb/s on; the sound of a film is not speech. */
const SPEECH_BITRATE = 40_000;
const MUSIC_BITRATE = 128_000;

/** One Producer and what it was opened with. */
interface Opened {
  readonly producer: types.Producer;
  /** The server's; the library knows another. */
  readonly producerId: ProducerId;
  readonly track: MediaStreamTrack;
  readonly codec: Codec;
  /** The highest layer that anybody watches; null: nobody does, so nothing is encoded. */
  readonly watched: number | null;
}

/** Until the server says otherwise everything is encoded. */
const ALL_LAYERS = 7;

export interface PublishingOptions {
  /** What pictures are sent in where everybody can decode it. */
  readonly codec: VideoCodec;
  /** Asked once, when the first picture in one stream is sent. */
  readonly spatialLayers?: () => boolean;
}

export class Publishing {
  readonly #transports: Transports;
  readonly #transforms: Transforms;
  readonly #signaling: Signaling;
  readonly #options: PublishingOptions;
  readonly #producers = new Map<Source, Opened>();
  /** What everybody has by another way: the Producers stay, so that the way back is short, and nothing is sent. */
  #resting: ReadonlySet<Source> = new Set();
  /** What somebody in the Room could not decode. It is not tried again: who could not may come back. */
  readonly #undecodable = new Set<Codec>();
  #spatialLayers: boolean | undefined;
  /** What the network carries; undefined: nobody has said. */
  #ceiling: SendCeiling | undefined;
  /** A browser refused it, which it does while it is asked for something else. */
  #isRefused = false;
  /** Steps of one source wait for each other: what is closed while it opens must end closed. */
  readonly #turns = new Map<Source, Promise<unknown>>();

  constructor(transports: Transports, transforms: Transforms, signaling: Signaling, options: PublishingOptions) {
    this.#options = options;
    this.#transports = transports;
    this.#transforms = transforms;
    this.#signaling = signaling;
  }

  get isSending(): boolean {
    return this.#producers.size > 0;
  }

  /** @throws ClusterError MEDIA_UNSUPPORTED when the Room has no codec that this browser sends */
  publish(source: Source, track: MediaStreamTrack, muted: boolean): Promise<void> {
    return this.#inTurn(source, async () => {
      if (this.#producers.has(source)) await this.#replace(source, track);
      else await this.#open(source, track, muted);
    });
  }

  /**
   * Somebody cannot decode this Producer: it is sent again in a codec that nobody was told about yet.
   * @throws ClusterError CANNOT_CONSUME when there is none left, so that they go without
   */
  async undecodable(producerId: string): Promise<void> {
    const found = [...this.#producers].find(([, opened]) => opened.producerId === producerId);
    if (!found) return;
    const [source, { codec }] = found;
    this.#undecodable.add(codec);
    await this.#inTurn(source, async () => {
      const opened = this.#producers.get(source);
      // It was closed, or sent anew, while others waited their turn.
      if (opened?.producerId !== producerId) return;
      const { producer, track } = opened;
      if (track.kind === 'audio' || this.#choose() === undefined) throw new ClusterError('CANNOT_CONSUME');
      const muted = producer.paused;
      await this.#close(source);
      await this.#open(source, track, muted);
    });
  }

  /** The server says which layers anybody watches; what nobody does is not encoded from now on. */
  watched(producerId: string, spatial: number | null): Promise<void> {
    const source = [...this.#producers].find(([, opened]) => opened.producerId === producerId)?.[0];
    if (source === undefined) return Promise.resolve();
    return this.#inTurn(source, async () => {
      const opened = this.#producers.get(source);
      if (opened?.producerId !== producerId || opened.watched === spatial) return;
      this.#producers.set(source, { ...opened, watched: spatial });
      // A browser that cannot change it sends more than is needed.
      await this.#layOut(source).catch(() => undefined);
    });
  }

  /** Of these nothing is sent from now on, of all others everything; of a Producer that opens later too. */
  rest(sources: readonly Source[]): void {
    const before = this.#resting;
    this.#resting = new Set(sources);
    for (const source of this.#producers.keys()) {
      if (before.has(source) === this.#resting.has(source)) continue;
      // A browser that cannot change it sends what nobody needs.
      void this.#inTurn(source, () => this.#layOut(source)).catch(() => undefined);
    }
  }

  /** Nothing is sent above it from now on, of what is published later either. Undefined: as far as the browser goes. To be said again and again. */
  async limit(ceiling: SendCeiling | undefined): Promise<void> {
    if (!this.#isRefused && JSON.stringify(ceiling) === JSON.stringify(this.#ceiling)) return;
    this.#ceiling = ceiling;
    this.#isRefused = false;
    await Promise.all([...this.#producers.keys()].map((source) => this.#inTurn(source, () => this.#limit(source))));
  }

  unpublish(source: Source): Promise<void> {
    return this.#inTurn(source, async () => {
      await this.#close(source);
    });
  }

  setMuted(source: Source, muted: boolean): Promise<void> {
    return this.#inTurn(source, async () => {
      const opened = this.#producers.get(source);
      if (!opened || opened.producer.paused === muted) return;
      const { producer, producerId } = opened;
      // Our side first: muted means that nothing leaves, whatever the server answers.
      if (muted) producer.pause();
      else producer.resume();
      await this.#signaling.request(muted ? 'pauseProducer' : 'resumeProducer', { producerId });
    });
  }

  replaceTrack(source: Source, track: MediaStreamTrack): Promise<void> {
    return this.#inTurn(source, async () => {
      await this.#replace(source, track);
    });
  }

  #inTurn(source: Source, step: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(source) ?? Promise.resolve()).catch(() => undefined).then(step);
    this.#turns.set(source, turn);
    return turn;
  }

  async #open(source: Source, track: MediaStreamTrack, muted: boolean): Promise<void> {
    const { send } = this.#transports;
    // What somebody cannot decode is better than nothing for the others.
    const chosen = track.kind === 'audio' ? 'opus' : (this.#choose() ?? this.#choose(new Set()));
    const codec = this.#sendable().find(({ mimeType }) => codecOf(mimeType) === chosen);
    if (!codec || !chosen) {
      throw new ClusterError('MEDIA_UNSUPPORTED', `no codec for ${track.kind} on this side and the other`);
    }
    // A disabled track makes a paused Producer: nothing of it may leave before it is unmuted.
    track.enabled = !muted;
    let asked!: (answer: Promise<ProducerId>) => void;
    const answered = new Promise<ProducerId>((resolve) => (asked = resolve));
    // It may be refused before anybody waits for it.
    answered.catch(() => undefined);
    const producer = await send.produce({
      track,
      codec,
      ...(chosen === 'opus' ? soundOptions(source) : this.#pictureOptions(source, track, chosen)),
      stopTracks: false,
      appData: { source, paused: muted, asked },
      onRtpSender: (sender) => this.#transforms.seal(sender, source, chosen),
    });
    const producerId = await answered.catch((thrown: unknown) => {
      producer.close();
      throw thrown;
    });
    this.#producers.set(source, { producer, producerId, track, codec: chosen, watched: ALL_LAYERS });
    if (this.#ceiling || this.#resting.has(source)) await this.#limit(source);
  }

  async #close(source: Source): Promise<void> {
    const opened = this.#producers.get(source);
    if (!opened) return;
    this.#producers.delete(source);
    opened.producer.close();
    await this.#signaling.request('closeProducer', { producerId: opened.producerId });
  }

  async #replace(source: Source, track: MediaStreamTrack): Promise<void> {
    const opened = this.#producers.get(source);
    if (!opened) return;
    const { producer } = opened;
    track.enabled = !producer.paused;
    await producer.replaceTrack({ track });
    this.#producers.set(source, { ...opened, track });
    // Another camera has another size: the same encodings, laid out anew.
    await this.#layOut(source);
  }

  /** Brings the encodings to the size of the track, to what is watched, and under what the network carries. */
  async #layOut(source: Source): Promise<void> {
    const opened = this.#producers.get(source);
    const sender = opened?.producer.rtpSender;
    if (!opened || !sender) return;
    const { codec, track } = opened;
    const isResting = this.#resting.has(source);
    const parameters = sender.getParameters();
    if (codec === 'opus') {
      for (const encoding of parameters.encodings) {
        Object.assign(encoding, { active: !isResting, ...soundUnder(source, this.#ceiling) });
      }
      await sender.setParameters(parameters);
      return;
    }
    const watched = isResting ? null : opened.watched;
    const layers = layersUnder(watchedOf(this.#encodings(codec, source, track), watched), this.#ceiling);
    for (const [index, { active, scaleResolutionDownBy, maxBitrate, maxFramerate }] of layers.entries()) {
      // Browsers need not keep the order.
      const encoding = parameters.encodings.find(({ rid }) => rid === `r${index}`) ?? parameters.encodings[index];
      Object.assign(encoding ?? {}, { active, scaleResolutionDownBy, maxBitrate });
      if (maxFramerate !== undefined) Object.assign(encoding ?? {}, { maxFramerate });
      else delete encoding?.maxFramerate;
    }
    await sender.setParameters(parameters);
  }

  async #limit(source: Source): Promise<void> {
    await this.#layOut(source).catch(() => {
      this.#isRefused = true;
    });
  }

  #sendable(): types.RtpCodecCapability[] {
    return this.#transports.device.sendRtpCapabilities.codecs ?? [];
  }

  #choose(undecodable: ReadonlySet<Codec> = this.#undecodable): VideoCodec | undefined {
    const sendable = new Set(this.#sendable().flatMap(({ mimeType }) => codecOf(mimeType) ?? []));
    return chooseCodec(this.#options.codec, sendable, undecodable);
  }

  #encodings(codec: VideoCodec, source: Source, track: MediaStreamTrack) {
    const inOneStream = codec === 'vp9' || codec === 'av1';
    if (inOneStream) this.#spatialLayers ??= (this.#options.spatialLayers ?? hasSpatialLayers)();
    return encodingsOf(codec, sizeOf(track), source, this.#spatialLayers ?? false);
  }

  #pictureOptions(source: Source, track: MediaStreamTrack, codec: VideoCodec): types.ProducerOptions {
    if (source === 'screen' && track.contentHint === '') track.contentHint = 'detail';
    return {
      encodings: this.#encodings(codec, source, track),
      // Without it the first seconds are a blur: the estimate starts at 300 kb/s.
      codecOptions: { videoGoogleStartBitrate: 1_000 },
    };
  }

  /** Asks our own encoders, where the browser can be asked that way; elsewhere the worker has asked the transform. */
  async makeKeyFrames(sources: readonly Source[]): Promise<void> {
    for (const source of sources) {
      const sender = this.#producers.get(source)?.producer.rtpSender;
      if (sender) await makeKeyFrame(sender);
    }
  }
}

/** Where the browser can be asked that way. */
export async function makeKeyFrame(sender: RTCRtpSender): Promise<void> {
  if (sender.track?.kind !== 'video') return;
  const parameters = sender.getParameters();
  const options = { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) };
  await sender.setParameters(parameters, options).catch(() => undefined);
}

function sizeOf(track: MediaStreamTrack): CaptureSize {
  const { width = 640, height = 360 } = track.getSettings();
  return { width, height };
}

/** A voice keeps to its own ceiling; music does where voices are thin. Where packets may be long the browser makes them so, with fewer headers. */
function soundUnder(source: Source, ceiling: SendCeiling | undefined): Record<string, unknown> {
  const usual = source === 'screen-audio' ? MUSIC_BITRATE : SPEECH_BITRATE;
  if (!ceiling) return { maxBitrate: usual, adaptivePtime: false };
  const isThin = ceiling.packetMs > 20;
  const maxBitrate = source === 'screen-audio' && !isThin ? usual : Math.min(usual, ceiling.soundBps);
  return { maxBitrate, adaptivePtime: isThin };
}

function soundOptions(source: Source): types.ProducerOptions {
  if (source === 'screen-audio') {
    return { codecOptions: { opusStereo: true, opusFec: true, opusMaxAverageBitrate: MUSIC_BITRATE } };
  }
  return { codecOptions: { opusDtx: true, opusFec: true, opusMaxAverageBitrate: SPEECH_BITRATE } };
}
