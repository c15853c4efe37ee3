/**
 * What this Peer sends: one Producer for each Source, each with its transform set before the first frame can leave.
 * The tracks belong to the application: closing a Producer does not stop them, so that they can be published again.
 */
import { ClusterError, ProducerId, type Source } from '@veilcast/protocol';
import type { types } from 'mediasoup-client';
import type { Signaling } from '../socket.ts';
import type { Transforms } from '../transforms.ts';
import { codecOf } from './codec.ts';
import { simulcastLadder, type CaptureSize } from './ladder.ts';
import type { Transports } from './transports.ts';

/** Speech is clear from 24 kb/s on; the sound of a film is not speech. */
const SPEECH_BITRATE = 40_000;
const MUSIC_BITRATE = 128_000;

export class Publishing {
  readonly #transports: Transports;
  readonly #transforms: Transforms;
  readonly #signaling: Signaling;
  readonly #producers = new Map<Source, types.Producer>();
  /** Steps of one source wait for each other: what is closed while it opens must end closed. */
  readonly #turns = new Map<Source, Promise<unknown>>();

  constructor(transports: Transports, transforms: Transforms, signaling: Signaling) {
    this.#transports = transports;
    this.#transforms = transforms;
    this.#signaling = signaling;
  }

  /** @throws ClusterError MEDIA_UNSUPPORTED when the Room has no codec that this browser sends */
  publish(source: Source, track: MediaStreamTrack, muted: boolean): Promise<void> {
    return this.#inTurn(source, async () => {
      const producer = this.#producers.get(source);
      if (producer) await replace(producer, source, track);
      else await this.#open(source, track, muted);
    });
  }

  unpublish(source: Source): Promise<void> {
    return this.#inTurn(source, async () => {
      const producer = this.#producers.get(source);
      if (!producer) return;
      this.#producers.delete(source);
      producer.close();
      await this.#signaling.request('closeProducer', { producerId: ProducerId.parse(producer.id) });
    });
  }

  setMuted(source: Source, muted: boolean): Promise<void> {
    return this.#inTurn(source, async () => {
      const producer = this.#producers.get(source);
      if (!producer || producer.paused === muted) return;
      // Our side first: muted means that nothing leaves, whatever the server answers.
      if (muted) producer.pause();
      else producer.resume();
      const body = { producerId: ProducerId.parse(producer.id) };
      await this.#signaling.request(muted ? 'pauseProducer' : 'resumeProducer', body);
    });
  }

  replaceTrack(source: Source, track: MediaStreamTrack): Promise<void> {
    return this.#inTurn(source, async () => {
      const producer = this.#producers.get(source);
      if (producer) await replace(producer, source, track);
    });
  }

  #inTurn(source: Source, step: () => Promise<void>): Promise<void> {
    const turn = (this.#turns.get(source) ?? Promise.resolve()).catch(() => undefined).then(step);
    this.#turns.set(source, turn);
    return turn;
  }

  async #open(source: Source, track: MediaStreamTrack, muted: boolean): Promise<void> {
    const { device, send } = this.#transports;
    const mimeType = track.kind === 'audio' ? 'audio/opus' : 'video/vp8';
    const codec = device.sendRtpCapabilities.codecs?.find((known) => known.mimeType.toLowerCase() === mimeType);
    const sealed = codecOf(mimeType);
    if (!codec || !sealed) throw new ClusterError('MEDIA_UNSUPPORTED', `no ${mimeType} on this side or the other`);
    // A disabled track makes a paused Producer: nothing of it may leave before it is unmuted.
    track.enabled = !muted;
    const producer = await send.produce({
      track,
      codec,
      ...(track.kind === 'audio' ? soundOptions(source) : pictureOptions(source, track)),
      stopTracks: false,
      appData: { source, paused: muted },
      onRtpSender: (sender) => this.#transforms.seal(sender, source, sealed),
    });
    this.#producers.set(source, producer);
  }

  /** Asks our own encoders, where the browser can be asked that way; elsewhere the worker has asked the transform. */
  async makeKeyFrames(sources: readonly Source[]): Promise<void> {
    for (const source of sources) {
      const sender = this.#producers.get(source)?.rtpSender;
      if (!sender || sender.track?.kind !== 'video') continue;
      const parameters = sender.getParameters();
      const options = { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) };
      await sender.setParameters(parameters, options).catch(() => undefined);
    }
  }
}

async function replace(producer: types.Producer, source: Source, track: MediaStreamTrack): Promise<void> {
  track.enabled = !producer.paused;
  await producer.replaceTrack({ track });
  const { rtpSender: sender } = producer;
  if (track.kind !== 'video' || !sender) return;
  // Another camera has another size: the same encodings, laid out anew.
  const parameters = sender.getParameters();
  const layers = simulcastLadder(sizeOf(track), source);
  for (const [index, { active, scaleResolutionDownBy, maxBitrate }] of layers.entries()) {
    Object.assign(parameters.encodings[index] ?? {}, { active, scaleResolutionDownBy, maxBitrate });
  }
  await sender.setParameters(parameters);
}

function sizeOf(track: MediaStreamTrack): CaptureSize {
  const { width = 640, height = 360 } = track.getSettings();
  return { width, height };
}

function soundOptions(source: Source): types.ProducerOptions {
  if (source === 'screen-audio') {
    return { codecOptions: { opusStereo: true, opusFec: true, opusMaxAverageBitrate: MUSIC_BITRATE } };
  }
  return { codecOptions: { opusDtx: true, opusFec: true, opusMaxAverageBitrate: SPEECH_BITRATE } };
}

function pictureOptions(source: Source, track: MediaStreamTrack): types.ProducerOptions {
  if (source === 'screen' && track.contentHint === '') track.contentHint = 'detail';
  return {
    encodings: simulcastLadder(sizeOf(track), source),
    // Without it the first seconds are a blur: the estimate starts at 300 kb/s.
    codecOptions: { videoGoogleStartBitrate: 1_000 },
  };
}
