/**
 * What the forwarding bench measures, in a process of its own, so that its processor time is its own: a node of a cluster,
 * commanded over its Channel as signaling does, or mediasoup alone with transports of the same options.
 */
import { jsonOf } from '@veilcast/control';
import { createWorker, type types } from 'mediasoup';
import { ROUTER_CODECS } from '../../sfu-node/src/codecs.ts';
import { cluster, ROOM, type Commander, type Running } from '../../sfu-node/test/cluster.ts';
import { routerOf, vp8Parameters } from '../../sfu-node/test/source.ts';
import { answer } from './child.ts';

export type SubjectKind = 'node' | 'bare';

/** The far end of a viewer's receiving transport. */
export interface ViewerEnd {
  readonly iceParameters: types.IceParameters;
  readonly iceCandidates: types.IceCandidate[];
  readonly dtlsParameters: types.DtlsParameters;
}

interface Subject {
  readonly workerPid: number;
  readonly router: types.Router;
  /** Lets Consumers find the Producer. */
  adopt(producer: types.Producer): Promise<unknown>;
  open(viewer: number): Promise<ViewerEnd>;
  connect(viewer: number, dtlsParameters: types.DtlsParameters): Promise<unknown>;
  consume(viewer: number): Promise<types.RtpParameters>;
  resume(viewer: number): Promise<unknown>;
  close(): Promise<void>;
}

const PRODUCER = 'prod_bench';
const HOST_PEER = 'peer_host';

function peerOf(viewer: number): string {
  return `peer_${viewer}`;
}

function read(json: { text: string } | undefined): never {
  return JSON.parse(json?.text ?? 'null') as never;
}

async function nodeSubject(): Promise<Subject> {
  const all = cluster();
  const running: Running = await all.node('eu-1', { media: { ip: '127.0.0.1' } });
  const signaling: Commander = await all.process('signaling', 'eu-1');
  // A node reports to whoever plans; that is part of what it costs.
  await all.process('cascade-router', 'eu-1');
  const { node, workerId } = running;
  await signaling.call('openPeer', { peerId: HOST_PEER, workerId });
  const transports = new Map<number, string>();
  const consumers = new Map<number, string>();
  const router = routerOf(node, workerId);
  const rtpCapabilities = jsonOf(router.rtpCapabilities);
  return {
    workerPid: running.workers[0]?.pid ?? 0,
    router,
    adopt: (producer) => node.adopt(ROOM, workerId, producer),
    open: async (viewer) => {
      const { recv } = await signaling.call('openPeer', { peerId: peerOf(viewer), workerId });
      if (!recv) throw new Error('no receiving transport');
      transports.set(viewer, recv.id);
      return {
        iceParameters: read(recv.iceParameters),
        iceCandidates: read(recv.iceCandidates),
        dtlsParameters: read(recv.dtlsParameters),
      };
    },
    connect: (viewer, dtlsParameters) =>
      signaling.call('connectTransport', {
        peerId: peerOf(viewer),
        transportId: transports.get(viewer) ?? '',
        dtlsParameters: jsonOf(dtlsParameters),
      }),
    consume: async (viewer) => {
      const wanted = { peerId: peerOf(viewer), producerId: PRODUCER, rtpCapabilities };
      const { consumerId, rtpParameters } = await signaling.call('consume', wanted);
      consumers.set(viewer, consumerId);
      return read(rtpParameters);
    },
    resume: (viewer) => signaling.call('pauseConsumers', { consumerIds: [consumers.get(viewer) ?? ''], paused: false }),
    close: () => all.close(),
  };
}

function of<T>(map: ReadonlyMap<number, T>, viewer: number): T {
  const found = map.get(viewer);
  if (!found) throw new Error(`no viewer ${viewer}`);
  return found;
}

async function bareSubject(): Promise<Subject> {
  const worker = await createWorker({ logLevel: 'none' });
  const ip = '127.0.0.1';
  const webRtcServer = await worker.createWebRtcServer({
    listenInfos: [
      { ip, protocol: 'udp' },
      { ip, protocol: 'tcp' },
    ],
  });
  const router = await worker.createRouter({ mediaCodecs: ROUTER_CODECS });
  const transports = new Map<number, types.WebRtcTransport>();
  const consumers = new Map<number, types.Consumer>();
  const make = (): Promise<types.WebRtcTransport> =>
    router.createWebRtcTransport({
      webRtcServer,
      enableUdp: true,
      enableTcp: true,
      preferUdp: true,
      iceConsentTimeout: 10,
      initialAvailableOutgoingBitrate: 1_000_000,
    });
  return {
    workerPid: worker.pid,
    router,
    adopt: () => Promise.resolve(),
    open: async (viewer) => {
      // A sending one too, as every Peer has, though a viewer leaves it alone.
      const [recv] = await Promise.all([make(), make()]);
      transports.set(viewer, recv);
      const { iceParameters, iceCandidates, dtlsParameters } = recv;
      return { iceParameters, iceCandidates, dtlsParameters };
    },
    connect: (viewer, dtlsParameters) => of(transports, viewer).connect({ dtlsParameters }),
    consume: async (viewer) => {
      const transport = of(transports, viewer);
      const { rtpCapabilities } = router;
      const consumer = await transport.consume({ producerId: PRODUCER, rtpCapabilities, paused: true });
      consumers.set(viewer, consumer);
      return consumer.rtpParameters;
    },
    resume: (viewer) => of(consumers, viewer).resume(),
    close: () => Promise.resolve(worker.close()),
  };
}

let subject: Subject | undefined;

function running(): Subject {
  if (!subject) throw new Error('not started');
  return subject;
}

const answers = {
  /** Opens the source's Producer; answers where to send to, and which process forwards. */
  start: async ({ kind, ssrc }: { kind: SubjectKind; ssrc: number }) => {
    subject = await (kind === 'node' ? nodeSubject() : bareSubject());
    const { router, workerPid } = subject;
    const plain = await router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
      comedia: true,
    });
    const rtpParameters = vp8Parameters(ssrc);
    const producer = await plain.produce({ id: PRODUCER, kind: 'video', rtpParameters, keyFrameRequestDelay: 300 });
    await subject.adopt(producer);
    return { port: plain.tuple.localPort, workerPid };
  },
  open: ({ viewer }: { viewer: number }) => running().open(viewer),
  connect: async ({ viewer, dtlsParameters }: { viewer: number; dtlsParameters: types.DtlsParameters }) => {
    await running().connect(viewer, dtlsParameters);
  },
  consume: ({ viewer }: { viewer: number }) => running().consume(viewer),
  resume: async ({ viewer }: { viewer: number }) => {
    await running().resume(viewer);
  },
};
export type ForwardSubject = typeof answers;

if (import.meta.main) answer(answers, () => subject?.close());
