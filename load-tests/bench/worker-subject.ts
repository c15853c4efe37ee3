/** Media workers as the worker bench measures them: one with batching, one without, otherwise the same. */
import { createWorker, type types } from 'mediasoup';
import { ROUTER_CODECS } from '../../sfu-node/src/codecs.ts';
import { RECEIVE_BUFFER_BYTES } from '../../sfu-node/src/media/buffers.ts';
import { opusParameters, vp8Parameters } from '../../sfu-node/test/source.ts';
import type { Viewers } from './viewer.ts';

export type Kind = 'plain' | 'batched';

const IP = '127.0.0.1';
/** Handshakes under way at a time. */
const ABREAST = 16;

/** Starts a worker with batching or without. Both are the same program: the environment of its start decides. */
export async function startWorker(kind: Kind): Promise<types.Worker> {
  const before = process.env['MEDIASOUP_WORKER_BATCHING'];
  process.env['MEDIASOUP_WORKER_BATCHING'] = kind === 'batched' ? '1' : '0';
  try {
    return await createWorker({ logLevel: 'error' });
  } finally {
    if (before === undefined) delete process.env['MEDIASOUP_WORKER_BATCHING'];
    else process.env['MEDIASOUP_WORKER_BATCHING'] = before;
  }
}

export interface Source {
  readonly port: number;
  readonly ssrc: number;
  readonly producers: readonly types.Producer[];
}

/** Producers of so many streams, of which the first packet says where they come from. */
export async function openSource(
  router: types.Router,
  kind: 'audio' | 'video',
  ssrc: number,
  streams = 1,
): Promise<Source> {
  const plain = await router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: IP, recvBufferSize: RECEIVE_BUFFER_BYTES },
    comedia: true,
  });
  const parametersOf = kind === 'audio' ? opusParameters : vp8Parameters;
  const producers: types.Producer[] = [];
  for (let stream = 0; stream < streams; stream++)
    producers.push(await plain.produce({ kind, rtpParameters: parametersOf(ssrc + stream) }));
  return { port: plain.tuple.localPort, ssrc, producers };
}

/** A Router with light viewers, none of whom watches yet. */
export class Audience {
  readonly worker: types.Worker;
  readonly router: types.Router;
  readonly #group: string;
  readonly #transports: types.WebRtcTransport[];
  #consumers: types.Consumer[] = [];

  private constructor(worker: types.Worker, router: types.Router, group: string, transports: types.WebRtcTransport[]) {
    this.worker = worker;
    this.router = router;
    this.#group = group;
    this.#transports = transports;
  }

  static async open(kind: Kind, viewers: Viewers, count: number): Promise<Audience> {
    const worker = await startWorker(kind);
    const webRtcServer = await worker.createWebRtcServer({ listenInfos: [{ ip: IP, protocol: 'udp' }] });
    const router = await worker.createRouter({ mediaCodecs: ROUTER_CODECS });
    const fingerprint = await viewers.fingerprint();
    const one = async (): Promise<types.WebRtcTransport> => {
      const transport = await router.createWebRtcTransport({ webRtcServer });
      await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [fingerprint] } });
      await viewers.light(kind, transport);
      return transport;
    };
    const transports: types.WebRtcTransport[] = [];
    while (transports.length < count) {
      const some = Math.min(ABREAST, count - transports.length);
      transports.push(...(await Promise.all(Array.from({ length: some }, one))));
    }
    return new Audience(worker, router, kind, transports);
  }

  get group(): string {
    return this.#group;
  }

  /** Lets so many of them watch a Producer, and nobody watch anything else. */
  async watch(count: number, { producers: [producer] }: Source): Promise<void> {
    for (const consumer of this.#consumers) consumer.close();
    const rtpCapabilities = withoutEstimates(this.router.rtpCapabilities);
    const producerId = producer?.id ?? '';
    this.#consumers = await Promise.all(
      this.#transports.slice(0, count).map((transport) => transport.consume({ producerId, rtpCapabilities })),
    );
  }

  close(): void {
    this.worker.close();
  }
}

function isEstimate({ type }: types.RtcpFeedback): boolean {
  return type === 'transport-cc' || type === 'goog-remb';
}

/** Light viewers report nothing, so bandwidth cannot be estimated; both workers are spared the attempt. */
function withoutEstimates(all: types.RtpCapabilities): types.RtpCapabilities {
  return {
    ...all,
    codecs:
      all.codecs?.map((codec) => ({
        ...codec,
        rtcpFeedback: codec.rtcpFeedback?.filter((feedback) => !isEstimate(feedback)) ?? [],
      })) ?? [],
  };
}
