/**
 * What a Pipe adds to the way of a packet: two nodes with a worker each on this host, joined by an SRTP Pipe through their
 * control calls; each packet is taken off the origin's Router and off the one behind the Pipe, and compared with itself.
 * The kernel stamps arrivals, so it does not matter when the process that reads them is woken.
 */
import type { types } from 'mediasoup';
import { carry, cluster, join, ROOM, type Cluster, type Side } from '../../sfu-node/test/cluster.ts';
import { routerOf, vp8Parameters } from '../../sfu-node/test/source.ts';
import type { SfuNode } from '@veilcast/sfu-node';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';
import { startViewers } from './viewer.ts';

const PRODUCER = 'prod_hop';
const SSRC = 0x0a0b0c0d;
const EFFORTS = { full: { packets: 1_000, rounds: 3 }, tiny: { packets: 30, rounds: 1 } } as const;
/** 100 packets a second, an even distance apart, so that packets do not queue behind each other; key frames, so that none is held back. */
const STREAM = {
  ssrc: SSRC,
  payloadType: 101,
  picturesPerS: 100,
  packetsPerFrame: 1,
  packetBytes: 1_100,
  keyEvery: 1,
} as const;
/** How long stragglers are waited for. */
const SETTLE_MS = 500;

export interface Place extends Side {
  readonly node: SfuNode;
  readonly workerPid: number;
}

export async function openPlace(all: Cluster, nodeId: string): Promise<Place> {
  const { node, workerId, workers } = await all.node(nodeId, { media: { ip: '127.0.0.1' } });
  return { node, workerId, workerPid: workers[0]?.pid ?? 0, planner: await all.process('cascade-router', nodeId) };
}

/** Where to send to. The Producer is at the first place, and at each of the others through a Pipe. */
export async function openSource(all: Cluster, near: Place, far: readonly Place[]): Promise<number> {
  const signaling = await all.process('signaling', near.node.nodeId);
  await signaling.call('openPeer', { peerId: 'peer_source', workerId: near.workerId });
  const plain = await plainTransport(near, true);
  const rtpParameters = vp8Parameters(SSRC);
  const producer = await plain.produce({ id: PRODUCER, kind: 'video', rtpParameters, keyFrameRequestDelay: 300 });
  await near.node.adopt(ROOM, near.workerId, producer);
  for (const place of far) await carry(near, place, await join(near, place), PRODUCER);
  return plain.tuple.localPort;
}

function plainTransport({ node, workerId }: Place, comedia: boolean): Promise<types.PlainTransport> {
  return routerOf(node, workerId).createPlainTransport({ listenInfo: { protocol: 'udp', ip: '127.0.0.1' }, comedia });
}

async function tap(place: Place, port: number): Promise<void> {
  const plain = await plainTransport(place, false);
  await plain.connect({ ip: '127.0.0.1', port });
  const { rtpCapabilities } = routerOf(place.node, place.workerId);
  await plain.consume({ producerId: PRODUCER, rtpCapabilities });
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { packets, rounds } = EFFORTS[effort];
  const load = loadNow();
  const viewers = await startViewers();
  const all = cluster();
  try {
    const near = await openPlace(all, 'eu-1');
    const far = await openPlace(all, 'us-1');
    const port = await openSource(all, near, [far]);
    await tap(near, await viewers.tap('near'));
    await tap(far, await viewers.tap('far'));
    let sent = 0;
    const measure = async (count: number): Promise<number[]> => {
      await viewers.send({ ...STREAM, port, pictures: count, firstPicture: sent, firstSequence: (sent + 1) & 0xffff });
      sent += count;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return (await viewers.delays('near', 'far')).map((ns) => ns / 1e6);
    };
    await measure(30);
    const added: number[] = [];
    for (let round = 1; round <= rounds; round++) {
      const some = await measure(packets);
      added.push(...some);
      say(
        `round ${round}: ${some.length}/${packets} packets, the hop adds ${spreadOf(some).median.toFixed(3)} ms (p50)`,
      );
    }
    return figuresOf(added, load);
  } finally {
    await all.close();
    await viewers.close();
  }
}

function figuresOf(added: readonly number[], load: number): Figure[] {
  const note = 'two nodes of one host, SRTP Pipe, 100 packets/s of 1.1 kB, each compared with itself at the origin';
  const hop = { unit: 'ms', spread: spreadOf(added), note };
  return [
    ...figures(load, [{ ...hop, name: 'Pipe hop, added', goal: 1 }]),
    ...figures(load, [{ ...hop, name: 'Pipe hop, added, slowest percent' }], 'p99'),
  ];
}

export const pipeHop: Bench = { name: 'pipe-hop', title: 'latency added by a Pipe', run };
