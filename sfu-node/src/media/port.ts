/**
 * The part of mediasoup that a node uses, as interfaces which mediasoup's own objects satisfy, so that a simulation can
 * put a fake in their place. Values (RTP parameters, listen infos) are mediasoup's types; only objects are narrowed.
 */
import type { types } from 'mediasoup';

export type RtpCapabilities = types.RtpCapabilities;
export type RtpParameters = types.RtpParameters;
export type DtlsParameters = types.DtlsParameters;
export type SrtpParameters = types.SrtpParameters;
export type MediaKind = types.MediaKind;

/** One mediasoup process. */
export interface MediaWorker {
  readonly pid: number;
  readonly closed: boolean;
  /** Whether the process itself has ended and its pipes are closed. */
  readonly subprocessClosed: boolean;
  close(): void;
  createWebRtcServer(options: { listenInfos: types.TransportListenInfo[] }): Promise<MediaServer>;
  createRouter(options: { mediaCodecs: types.RouterRtpCodecCapability[] }): Promise<MediaRouter>;
  /** Processor time used so far, ms. */
  getResourceUsage(): Promise<{ ru_utime: number; ru_stime: number }>;
  on(event: 'died', listener: (error: Error) => void): unknown;
  on(event: 'subprocessclose', listener: () => void): unknown;
}

/** The two sockets that all WebRTC transports of a worker share; handed back to it, never looked into, so a fake may be anything. */
export type MediaServer = types.WebRtcServer;

export interface MediaRouter {
  readonly id: string;
  readonly closed: boolean;
  readonly rtpCapabilities: RtpCapabilities;
  close(): void;
  canConsume(query: { producerId: string; rtpCapabilities: RtpCapabilities }): boolean;
  createWebRtcTransport(options: WebRtcTransportInit): Promise<MediaWebRtcTransport>;
  createPipeTransport(options: PipeTransportInit): Promise<MediaPipeTransport>;
  createAudioLevelObserver(options: {
    maxEntries: number;
    threshold: number;
    interval: number;
  }): Promise<MediaAudioLevelObserver>;
}

/** Tells which Producers were loud in the last interval, the loudest first; nothing while nobody is. */
export interface MediaAudioLevelObserver {
  close(): void;
  addProducer(which: { producerId: string }): Promise<void>;
  on(
    event: 'volumes',
    listener: (volumes: { readonly producer: { readonly id: string }; readonly volume: number }[]) => void,
  ): unknown;
}

export interface WebRtcTransportInit {
  webRtcServer: MediaServer;
  enableUdp: boolean;
  enableTcp: boolean;
  preferUdp: boolean;
  iceConsentTimeout: number;
  initialAvailableOutgoingBitrate: number;
}

export interface PipeTransportInit {
  listenInfo: types.TransportListenInfo;
  enableSrtp: boolean;
  enableRtx: boolean;
}

interface MediaTransport {
  readonly id: string;
  readonly closed: boolean;
  close(): void;
  produce(options: ProduceInit): Promise<MediaProducer>;
}

export interface MediaWebRtcTransport extends MediaTransport {
  readonly iceParameters: types.IceParameters;
  readonly iceCandidates: types.IceCandidate[];
  readonly dtlsParameters: DtlsParameters;
  connect(remote: { dtlsParameters: DtlsParameters }): Promise<void>;
  restartIce(): Promise<types.IceParameters>;
  consume(options: ConsumeInit): Promise<MediaConsumer>;
  on(event: 'icestatechange', listener: (state: types.IceState) => void): unknown;
  on(event: 'dtlsstatechange', listener: (state: types.DtlsState) => void): unknown;
}

export interface MediaPipeTransport extends MediaTransport {
  readonly tuple: { readonly localAddress: string; readonly localPort: number };
  readonly srtpParameters: SrtpParameters | undefined;
  connect(remote: { ip: string; port: number; srtpParameters?: SrtpParameters }): Promise<void>;
  consume(options: { producerId: string }): Promise<MediaConsumer>;
  getStats(): Promise<{ bytesReceived: number; bytesSent: number }[]>;
}

export interface ProduceInit {
  id: string;
  kind: MediaKind;
  rtpParameters: RtpParameters;
  paused: boolean;
  keyFrameRequestDelay: number;
}

export interface ConsumeInit {
  producerId: string;
  rtpCapabilities: RtpCapabilities;
  paused: boolean;
}

/** What a stream has carried; of a Producer as received, of a Consumer as sent and as the far end reports it. */
export interface StreamStats {
  readonly type: string;
  readonly packetCount: number;
  readonly packetsLost: number;
  readonly fractionLost: number;
  readonly roundTripTime?: number;
}

export interface MediaProducer {
  readonly id: string;
  readonly kind: MediaKind;
  readonly paused: boolean;
  readonly closed: boolean;
  close(): void;
  pause(): Promise<void>;
  resume(): Promise<void>;
  getStats(): Promise<StreamStats[]>;
}

export interface MediaConsumer {
  readonly id: string;
  readonly producerId: string;
  readonly kind: MediaKind;
  readonly type: types.ConsumerType;
  readonly rtpParameters: RtpParameters;
  readonly paused: boolean;
  readonly producerPaused: boolean;
  readonly closed: boolean;
  close(): void;
  pause(): Promise<void>;
  resume(): Promise<void>;
  setPreferredLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void>;
  requestKeyFrame(): Promise<void>;
  getStats(): Promise<StreamStats[]>;
  on(event: 'producerclose', listener: () => void): unknown;
  on(event: 'layerschange', listener: (layers?: types.ConsumerLayers) => void): unknown;
}

/** Starts one mediasoup process. */
export type CreateWorker = () => Promise<MediaWorker>;
