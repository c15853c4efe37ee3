import { jsonOf } from '@veilcast/control';
import type { types } from 'mediasoup';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  carry,
  cluster,
  join,
  pause,
  refusal,
  ROOM,
  until,
  type Cluster,
  type Commander,
  type Running,
} from './cluster.ts';
import { certificate, dtlsClient } from './dtls.ts';
import { alive, descriptors } from './process.ts';
import { capabilities, openSource, opusParameters, vp8Parameters } from './source.ts';

const CAMERA = 'prod_camera';
const MIC = 'prod_mic';

let all: Cluster;
let eu: Running;
let signaling: Commander;
let planner: Commander;
const told = new Set<string>();

/** A row of docs/ownership.md and its proof. */
function row(name: string, proof: () => Promise<void>): void {
  told.add(name);
  test(name, proof);
}

beforeEach(async () => {
  all = cluster();
  eu = await all.node('eu-1', { workers: 2 });
  signaling = await all.process('signaling', 'eu-1');
  planner = await all.process('cascade-router', 'eu-1');
});

afterEach(() => all.close());

const first = 'eu-1/0';
const second = 'eu-1/1';

function open(peerId: string, workerId = first) {
  return signaling.call('openPeer', { peerId, workerId });
}

function produce(peerId: string, producerId: string, kind: 'audio' | 'video') {
  const rtpParameters = jsonOf(kind === 'audio' ? opusParameters() : vp8Parameters());
  return signaling.call('produce', { peerId, producerId, kind, rtpParameters, paused: false });
}

function consume(peerId: string, producerId: string, workerId = first, deadlineMs?: number) {
  const rtpCapabilities = capabilities(eu.node, workerId);
  return signaling.call('consume', { peerId, producerId, rtpCapabilities }, deadlineMs);
}

/** What mediasoup itself has on all Workers of the node that run. */
async function counts() {
  const sum = { routers: 0, transports: 0, producers: 0, consumers: 0, handlers: 0 };
  for (const worker of eu.workers.filter(({ closed }) => !closed)) {
    const { routerIds, channelMessageHandlers, webRtcServerIds } = await worker.dump();
    sum.routers += routerIds.length;
    sum.handlers += channelMessageHandlers.channelRequestHandlers.length - webRtcServerIds.length;
  }
  for (const workerId of [first, second]) {
    const router = eu.node.routerOf(ROOM, workerId) as unknown as types.Router | undefined;
    if (!router) continue;
    const dump = await router.dump();
    sum.transports += dump.transportIds.length;
    sum.producers += dump.mapProducerIdConsumerIds.length;
    sum.consumers += dump.mapConsumerIdProducerId.length;
  }
  return sum;
}

const NOTHING = { routers: 0, transports: 0, producers: 0, consumers: 0, handlers: 0 };

/** mediasoup has nothing left, and neither has the node's own picture. */
async function nothingIsLeft(): Promise<void> {
  expect(await counts()).toEqual(NOTHING);
  const { workers, pipes } = eu.node.report();
  expect(pipes).toEqual([]);
  for (const worker of workers!)
    expect(worker).toMatchObject({ routers: [], transports: 0, producers: 0, consumers: 0 });
}

const of = (kind: string) => signaling.events.filter((event) => event.case === kind);

/** Long enough for an event that should not come to have come. */
const quiet = () => pause(60);

const up = () => ({ planner, workerId: first });
const down = () => ({ planner, workerId: second });

/** A source on the first Worker, carried to the second one, where peer_b consumes it. */
async function carried() {
  await Promise.all([open('peer_a'), open('peer_b', second)]);
  const source = await openSource(eu.node, first, CAMERA);
  const pipeId = await join(up(), down());
  await carry(up(), down(), pipeId, CAMERA);
  const consumer = await consume('peer_b', CAMERA, second);
  expect(consumer.path).toEqual(['eu-1']);
  return { source, pipeId };
}

/** Gives back what `carried` made, and sees that nothing else is left. */
async function clear({ source, pipeId }: Awaited<ReturnType<typeof carried>>) {
  source.close();
  for (const workerId of [first, second]) await planner.call('closePipe', { pipeId, workerId });
  for (const peerId of ['peer_a', 'peer_b']) await signaling.call('closePeer', { peerId });
  await nothingIsLeft();
}

/** People come, speak and go. */
async function cycle(): Promise<void> {
  const made = await carried();
  await produce('peer_a', MIC, 'audio');
  await consume('peer_b', MIC, second, 50).catch(() => undefined);
  await clear(made);
}

describe('ownership', () => {
  row('the node closes', async () => {
    await open('peer_a');
    await planner.call('preparePipe', { pipeId: 'pipe', workerId: second });
    expect(await all.store.directory.list('process/sfu-node/')).toHaveLength(1);
    const began = Date.now();
    await eu.node.close();
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(eu.workers.map(({ subprocessClosed }) => subprocessClosed)).toEqual([true, true]);
    expect(await all.store.directory.list('process/sfu-node/')).toEqual([]);
    await until(() => signaling.channel.closed && planner.channel.closed);
    expect(eu.node.report()).toMatchObject({ workers: [], pipes: [] });
  });

  row('the node process is killed', async () => {
    const script = `import { cluster } from './sfu-node/test/cluster.ts';
      const { workers } = await cluster().node('us-1'); console.log('worker', workers[0].pid); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    await until(() => said.includes('\n'), 'the node', 30_000);
    const pid = Number(/worker (\d+)/.exec(said)?.[1]);
    expect(alive(pid)).toBe(true);
    child.kill('SIGKILL');
    await until(() => !alive(pid), 'the end of the worker');
  });

  row('a Worker dies', async () => {
    await Promise.all([open('peer_a'), open('peer_b'), open('peer_c', second)]);
    await planner.call('preparePipe', { pipeId: 'pipe', workerId: first });
    await produce('peer_a', MIC, 'audio');
    await consume('peer_b', MIC);
    process.kill(eu.workers[0]!.pid, 'SIGKILL');
    await until(() => of('peerGone').length === 2, 'peerGone');
    expect(of('peerGone').map(({ value }) => value)).toMatchObject([
      { peerId: 'peer_a', reason: 'WORKER_DIED' },
      { peerId: 'peer_b', reason: 'WORKER_DIED' },
    ]);
    await planner.event('nodeReport', ({ workers }) => workers.some(({ workerId }) => workerId === 'eu-1/0.1'));
    expect(eu.node.report().pipes).toEqual([]);
    await signaling.call('closePeer', { peerId: 'peer_c' });
    await nothingIsLeft();
    expect(of('consumerGone')).toEqual([]);
  });

  row('a Worker hangs', async () => {
    await open('peer_a');
    process.kill(eu.workers[0]!.pid, 'SIGSTOP');
    await until(() => of('peerGone').length === 1, 'peerGone');
    expect(of('peerGone').map(({ value }) => value)).toMatchObject([{ peerId: 'peer_a', reason: 'WORKER_DIED' }]);
    await planner.event('nodeReport', ({ workers }) => workers.some(({ workerId }) => workerId === 'eu-1/0.1'));
    await nothingIsLeft();
  });

  row('closeRoom', async () => {
    await Promise.all([open('peer_a'), open('peer_b', second)]);
    await planner.call('preparePipe', { pipeId: 'pipe', workerId: second });
    await produce('peer_a', MIC, 'audio');
    await consume('peer_a', MIC);
    await signaling.call('closeRoom', {});
    await nothingIsLeft();
    await quiet();
    expect(signaling.events).toEqual([]);
  });

  row('the last Peer or pipe end of a Router goes', async () => {
    await open('peer_a');
    await planner.call('preparePipe', { pipeId: 'pipe', workerId: first });
    await signaling.call('closePeer', { peerId: 'peer_a' });
    expect((await counts()).routers).toBe(1);
    await planner.call('closePipe', { pipeId: 'pipe' });
    await nothingIsLeft();
    await open('peer_a');
    expect((await counts()).routers).toBe(1);
  });

  row('closePeer', async () => {
    await Promise.all([open('peer_a'), open('peer_b')]);
    await Promise.all([produce('peer_a', MIC, 'audio'), produce('peer_b', CAMERA, 'video')]);
    await Promise.all([consume('peer_a', CAMERA), consume('peer_b', MIC), consume('peer_a', MIC)]);
    expect(await counts()).toMatchObject({ routers: 1, transports: 4, producers: 2, consumers: 3 });
    await signaling.call('closePeer', { peerId: 'peer_a' });
    expect(await signaling.event('consumerGone')).toMatchObject({ peerId: 'peer_b', producerId: MIC });
    expect(await counts()).toMatchObject({ routers: 1, transports: 2, producers: 1, consumers: 0 });
    await signaling.call('closePeer', { peerId: 'peer_b' });
    await nothingIsLeft();
    await quiet();
    expect(signaling.events).toHaveLength(1);
  });

  row('closePeer overtakes openPeer', async () => {
    const opened = open('peer_a');
    await signaling.call('closePeer', { peerId: 'peer_a' });
    expect(await refusal(opened)).toBe('CLOSED');
    await until(async () => (await counts()).handlers === 0);
    await nothingIsLeft();
  });

  row('a Peer is opened on another Worker', async () => {
    const [once, again] = await Promise.all([open('peer_a'), open('peer_a')]);
    expect(again).toEqual(once);
    await produce('peer_a', MIC, 'audio');
    const moved = await open('peer_a', second);
    expect(moved.send!.id).not.toBe(once.send!.id);
    expect(await counts()).toMatchObject({ routers: 1, transports: 2, producers: 0 });
    expect(eu.node.routerOf(ROOM, first)).toBeUndefined();
  });

  row('closeProducer', async () => {
    await Promise.all([open('peer_a'), open('peer_b')]);
    await Promise.all([produce('peer_a', MIC, 'audio'), produce('peer_a', MIC, 'audio')]);
    await consume('peer_b', MIC);
    await planner.call('preparePipe', { pipeId: 'pipe', workerId: first });
    await planner.call('sendOnPipe', { pipeId: 'pipe', producerId: MIC });
    expect(eu.node.report().pipes).toMatchObject([{ sends: [MIC] }]);
    for (let times = 0; times < 2; times++) await signaling.call('closeProducer', { producerId: MIC });
    await signaling.event('consumerGone', ({ peerId }) => peerId === 'peer_b');
    await until(() => eu.node.report().pipes![0]!.sends!.length === 0);
    expect(await counts()).toMatchObject({ producers: 0, consumers: 0, transports: 5 });
  });

  row('closeConsumers', async () => {
    await open('peer_a');
    await produce('peer_a', MIC, 'audio');
    const [once, again] = await Promise.all([consume('peer_a', MIC), consume('peer_a', MIC)]);
    expect(again).toEqual(once);
    const consumerIds = [once.consumerId, 'cons_unknown'];
    await signaling.call('pauseConsumers', { consumerIds, paused: false });
    for (let times = 0; times < 2; times++) await signaling.call('closeConsumers', { consumerIds });
    expect(await counts()).toMatchObject({ producers: 1, consumers: 0 });
    const anew = await consume('peer_a', MIC);
    expect(anew.consumerId).not.toBe(once.consumerId);
    expect(signaling.events).toEqual([]);
  });

  row('a Peer goes while its consume waits', async () => {
    await Promise.all([open('peer_a'), open('peer_b')]);
    const waits = consume('peer_a', MIC, first, 30_000);
    await quiet();
    await signaling.call('closePeer', { peerId: 'peer_a' });
    expect(await refusal(waits)).toBe('CLOSED');
    await signaling.call('closePeer', { peerId: 'peer_b' });
    await nothingIsLeft();
  });

  row('closePipe', async () => {
    const made = await carried();
    const { pipeId } = made;
    expect(await refusal(planner.call('closePipe', { pipeId }))).toBe('MALFORMED');
    for (let times = 0; times < 2; times++) await planner.call('closePipe', { pipeId, workerId: second });
    expect(await signaling.event('consumerGone')).toMatchObject({ peerId: 'peer_b', producerId: CAMERA });
    expect(made.source.producer.closed).toBe(false);
    expect(await counts()).toMatchObject({ transports: 2 + 2 + 1 + 1, producers: 1, consumers: 1 });
    await planner.call('closePipe', { pipeId });
    expect(await counts()).toMatchObject({ transports: 2 + 2 + 1, producers: 1, consumers: 0 });
    await clear(made);
  });

  row('stopOnPipe upstream', async () => {
    const made = await carried();
    const stop = { pipeId: made.pipeId, workerId: first, producerId: CAMERA };
    for (let times = 0; times < 2; times++) await planner.call('stopOnPipe', stop);
    expect(await counts()).toMatchObject({ producers: 2, consumers: 1 });
    expect(eu.node.report().pipes).toMatchObject([
      { workerId: first, sends: [], receives: [] },
      { workerId: second, sends: [], receives: [CAMERA] },
    ]);
    expect(of('consumerGone')).toEqual([]);
    await clear(made);
  });

  row('stopOnPipe downstream', async () => {
    const made = await carried();
    const stop = { pipeId: made.pipeId, workerId: second, producerId: CAMERA };
    for (let times = 0; times < 2; times++) await planner.call('stopOnPipe', stop);
    expect(await signaling.event('consumerGone')).toMatchObject({ peerId: 'peer_b', producerId: CAMERA });
    expect(await counts()).toMatchObject({ producers: 1, consumers: 1 });
    await carry(up(), down(), made.pipeId, CAMERA);
    await consume('peer_b', CAMERA, second);
    await clear(made);
  });

  row('connectPipe to another remote', async () => {
    const made = await carried();
    const keyBase64 = Buffer.alloc(44, 1).toString('base64');
    const srtpParameters = jsonOf({ cryptoSuite: 'AEAD_AES_256_GCM', keyBase64 });
    const remote = { pipeId: made.pipeId, workerId: first, ip: '127.0.0.1', port: 21_499, srtpParameters };
    expect(await refusal(planner.call('connectPipe', remote))).toBe('STALE_INCARNATION');
    expect(eu.node.report().pipes).toMatchObject([{ workerId: second }]);
    await clear(made);
  });

  row("a client's transport fails or ends", async () => {
    const keys = certificate();
    try {
      const { send } = await open('peer_a');
      const fingerprints = [keys.fingerprint];
      const dtlsParameters = jsonOf({ role: 'client', fingerprints });
      const connect = { peerId: 'peer_a', transportId: send!.id, dtlsParameters };
      for (let times = 0; times < 2; times++) await signaling.call('connectTransport', connect);
      const other = jsonOf({ role: 'server', fingerprints });
      expect(await refusal(signaling.call('connectTransport', { ...connect, dtlsParameters: other }))).toBe(
        'FORBIDDEN',
      );
      const transport = {
        iceParameters: JSON.parse(send!.iceParameters!.text),
        iceCandidates: JSON.parse(send!.iceCandidates!.text),
      };
      const client = await dtlsClient(transport, keys, ['SRTP_AES128_CM_SHA1_80', 'SRTP_AEAD_AES_128_GCM']);
      const changed = (state: string) =>
        signaling.event('transportChanged', (value) => value.transportId === send!.id && value.state === state);
      await changed('connected');
      await client.leave();
      await changed('closed');
      expect(await counts()).toMatchObject({ routers: 1, transports: 2 });
      await signaling.call('closePeer', { peerId: 'peer_a' });
      await nothingIsLeft();
    } finally {
      keys.remove();
    }
  });

  row('signaling is away', async () => {
    await open('peer_a');
    all.clock.push(120_000);
    await pause(1_200);
    expect((await counts()).routers).toBe(1);
    signaling.channel.close();
    await pause(1_200);
    expect((await counts()).routers).toBe(1);
    all.clock.push(61_000);
    await until(async () => (await counts()).routers === 0);
    await nothingIsLeft();
  });

  row('the cascade-router is away', async () => {
    await planner.call('preparePipe', { pipeId: 'pipe', workerId: first });
    all.clock.push(120_000);
    await pause(1_200);
    expect(eu.node.report().pipes).toHaveLength(1);
    planner.channel.close();
    await pause(1_200);
    all.clock.push(61_000);
    await pause(1_200);
    expect(eu.node.report().pipes).toHaveLength(1);
    all.clock.push(61_000);
    await until(() => eu.node.report().pipes!.length === 0);
    await nothingIsLeft();
  });

  test('every row of docs/ownership.md has its test here, and the other way round', () => {
    const text = readFileSync(new URL('../../docs/ownership.md', import.meta.url), 'utf8');
    const rows = [...text.matchAll(/^\| (?!what happens|---)([^|]+) \|/gm)].map((match) => match[1]!.trim());
    expect(rows.length).toBeGreaterThan(10);
    expect(new Set(rows)).toEqual(told);
  });

  test('fifty joins and leaves leave no file descriptor, Router, Transport, Producer, Consumer or pipe end', async () => {
    for (let times = 0; times < 5; times++) await cycle();
    const pids = ['self', ...eu.workers.map(({ pid }) => pid)] as const;
    const before = pids.map((pid) => descriptors(pid));
    for (let times = 0; times < 50; times++) await cycle();
    const after = pids.map((pid) => descriptors(pid));
    for (const [index, count] of after.entries()) expect(count).toBeLessThanOrEqual(before[index]!);
  });
});
