import type { SfuNode } from '@veilcast/sfu-node';
import type { types } from 'mediasoup';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RealCluster, ROOM, until } from './cluster.ts';

const cluster = new RealCluster();
const WORKERS = ['a/0', 'a/1', 'b/0', 'b/1'];
const OTHERS = WORKERS.slice(1);
const SSRC = 0x0a0b0c0d;

let source: { send(text: string): void; close(): void };

beforeAll(async () => {
  await cluster.start();
  for (const workerId of WORKERS) await cluster.openPeer(workerId);
  source = await openSource(cluster.nodeOf('a/0'));
});
afterAll(async () => {
  source.close();
  await cluster.close();
});

function routerOf(workerId: string): types.Router {
  const router = cluster.nodeOf(workerId).routerOf(ROOM, workerId);
  if (!router) throw new Error(`no Router on ${workerId}`);
  return router as unknown as types.Router;
}

/** Something like VP8 from a Peer of Worker a/0: key frames of one packet. */
async function openSource(node: SfuNode) {
  const transport = await routerOf('a/0').createDirectTransport();
  const producer = await transport.produce({
    id: 'camera',
    kind: 'video',
    rtpParameters: {
      mid: '0',
      codecs: [{ mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000, rtcpFeedback: [] }],
      headerExtensions: [],
      encodings: [{ ssrc: SSRC }],
      rtcp: { cname: 'test' },
    },
  });
  const remove = await node.adopt(ROOM, 'a/0', producer);
  let sequence = 1;
  return {
    send: (text: string) => {
      const header = Buffer.alloc(12);
      header[0] = 0x80;
      header[1] = 0x80 | 101;
      header.writeUInt16BE(sequence & 0xffff, 2);
      header.writeUInt32BE(sequence * 3_000, 4);
      header.writeUInt32BE(SSRC, 8);
      sequence += 1;
      producer.send(Buffer.concat([header, Buffer.from([0x10, 0, 0, 0]), Buffer.from(text)]));
    },
    close: () => {
      remove();
      transport.close();
    },
  };
}

/** How long until a packet that was sent into the source comes out on this Worker, ms. */
async function heard(workerId: string): Promise<number> {
  const transport = await routerOf(workerId).createDirectTransport();
  const { rtpCapabilities } = routerOf(workerId);
  const consumer = await transport.consume({ producerId: 'camera', rtpCapabilities });
  const started = Date.now();
  let got = false;
  consumer.on('rtp', (packet) => (got ||= packet.includes('film')));
  await until(() => {
    source.send('film');
    return got;
  });
  transport.close();
  return Date.now() - started;
}

test('media comes to every Worker that wants it: over one long link, and a local one in each region', async () => {
  const started = Date.now();
  await cluster.put('a/0', OTHERS);
  await until(() => OTHERS.every((workerId) => cluster.has(workerId)));
  console.log(`three Pipes, two of them in a row, after ${Date.now() - started} ms`);
  for (const workerId of OTHERS) await heard(workerId);
  expect((await cluster.picture()).pipes.map((pipe) => pipe.pipeId).sort()).toEqual(['a/0>a/1', 'a/0>b/0', 'b/0>b/1']);
});

test('the picture has what flows and how far it is', async () => {
  await until(async () => {
    source.send('film');
    return (await cluster.picture()).pipes.every((pipe) => pipe.packetsPerSecond > 0 && pipe.rttMs !== null);
  });
  const { pipes } = await cluster.picture();
  for (const pipe of pipes) expect(pipe).toMatchObject({ roomId: ROOM, producers: 1, lossRatio: 0 });
});

test('a worker that dies is planned around, and what it fed is fed again', async () => {
  const pid = cluster.workers.get('b/0')?.pid;
  const started = Date.now();
  process.kill(pid ?? 0, 'SIGKILL');
  await until(async () => (await cluster.picture()).pipes.some((pipe) => pipe.pipeId === 'a/0>b/1'));
  await until(() => cluster.has('b/1'));
  await heard('b/1');
  console.log(`media again ${Date.now() - started} ms after the death of the worker that relayed it`);
});

test('with the last want all Pipes close, at both ends', async () => {
  await cluster.put('a/0', []);
  await until(() => cluster.endCount() === 0);
  await until(async () => (await cluster.picture()).pipes.length === 0);
});
