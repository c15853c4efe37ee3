/** A Pipe with SRTP between two workers of a kind, crossed by many streams in bursts: what both workers work for a packet. */
import type { types } from 'mediasoup';
import { ROUTER_CODECS } from '../../sfu-node/src/codecs.ts';
import { RECEIVE_BUFFER_BYTES } from '../../sfu-node/src/media/buffers.ts';
import { cpuNs } from './cpu.ts';
import type { Viewers } from './viewer.ts';
import { openSource, startWorker, type Kind, type Source } from './worker-subject.ts';

const SHAPE = {
  payloadType: 101,
  clockRate: 90_000,
  framesPerS: 30,
  packetsPerFrame: 10,
  keyPackets: 80,
  keyEvery: 60,
};
const SETTLE_MS = 400;

export interface PipeRound {
  /** Of both workers together, a packet that came through. */
  readonly us: number;
  readonly whole: boolean;
}

export class PipePair {
  readonly #workers: readonly types.Worker[];
  readonly #source: Source;
  readonly #far: readonly types.Producer[];
  readonly #streams: number;

  private constructor(workers: readonly types.Worker[], source: Source, far: readonly types.Producer[]) {
    this.#workers = workers;
    this.#source = source;
    this.#far = far;
    this.#streams = far.length;
  }

  static async open(kind: Kind, ssrc: number, streams: number): Promise<PipePair> {
    const workers = await Promise.all([startWorker(kind), startWorker(kind)]);
    const [near, beyond] = await Promise.all(
      workers.map((worker) => worker.createRouter({ mediaCodecs: ROUTER_CODECS })),
    );
    const source = await openSource(near!, 'video', ssrc, streams);
    const listenInfo = { protocol: 'udp', ip: '127.0.0.1', recvBufferSize: RECEIVE_BUFFER_BYTES } as const;
    const far: types.Producer[] = [];
    for (const { id: producerId } of source.producers) {
      const { pipeProducer } = await near!.pipeToRouter({ producerId, router: beyond!, enableSrtp: true, listenInfo });
      far.push(pipeProducer!);
    }
    return new PipePair(workers, source, far);
  }

  async round(viewers: Viewers, seconds: number): Promise<PipeRound> {
    const { port, ssrc } = this.#source;
    const before = await this.#seen();
    const frames = Math.round(seconds * SHAPE.framesPerS);
    const sent = await viewers.burst({ ...SHAPE, packetBytes: 1_100, streams: this.#streams, port, ssrc, frames });
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const after = await this.#seen();
    const packets = after.packets - before.packets;
    return { us: (after.ns - before.ns) / packets / 1e3, whole: packets >= sent.packets * 0.98 };
  }

  async #seen(): Promise<{ packets: number; ns: number }> {
    const ns = await Promise.all(this.#workers.map(({ pid }) => cpuNs(pid)));
    const stats = await Promise.all(this.#far.map((producer) => producer.getStats()));
    const packets = stats.flat().reduce((sum, { packetCount }) => sum + packetCount, 0);
    return { packets, ns: ns.reduce((sum, one) => sum + one, 0) };
  }

  close(): void {
    for (const worker of this.#workers) worker.close();
  }
}
