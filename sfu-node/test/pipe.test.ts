import { jsonOf } from '@veilcast/control';
import { udpLink, type UdpLink } from '@veilcast/testkit';
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
import { capabilities, openSource, openTap, opusParameters, routerOf } from './source.ts';

const CAMERA = 'prod_camera';

interface Place extends Running {
  readonly signaling: Commander;
  readonly planner: Commander;
}

let all: Cluster;
let eu: Place;
let us: Place;

async function place(nodeId: string): Promise<Place> {
  const running = await all.node(nodeId);
  const [signaling, planner] = await Promise.all([
    all.process('signaling', nodeId),
    all.process('cascade-router', nodeId),
  ]);
  return { ...running, signaling, planner };
}

/** A publisher at eu, a Pipe, and its camera on it. */
async function piped() {
  await eu.signaling.call('openPeer', { peerId: 'peer_a', workerId: eu.workerId });
  const source = await openSource(eu.node, eu.workerId, CAMERA);
  const pipeId = await join(eu, us);
  const path = await carry(eu, us, pipeId, CAMERA);
  return { source, pipeId, path };
}

/** Joins the two Workers as `join` does, with a link that can be impaired between their ends. */
async function joinBadly(): Promise<[pipeId: string, link: UdpLink]> {
  const pipeId = `${eu.workerId}>${us.workerId}`;
  const [up, down] = await Promise.all(
    [eu, us].map(({ planner, workerId }) => planner.call('preparePipe', { pipeId, workerId })),
  );
  const link = await udpLink({ port: down!.port });
  const ip = '127.0.0.1';
  const far = { pipeId, workerId: eu.workerId, ip, port: link.nearPort, srtpParameters: down!.srtpParameters };
  const near = { pipeId, workerId: us.workerId, ip, port: link.farPort, srtpParameters: up!.srtpParameters };
  await Promise.all([eu.planner.call('connectPipe', far), us.planner.call('connectPipe', near)]);
  return [pipeId, link];
}

beforeEach(async () => {
  all = cluster();
  eu = await place('eu-1');
  us = await place('us-1');
});

afterEach(async () => {
  await all.close();
});

describe('a Pipe between two nodes', () => {
  test('carries RTP, sealed with AES-256-GCM, to a Producer of the same id', async () => {
    const { source } = await piped();
    const tap = await openTap(us.node, us.workerId, CAMERA);
    await until(() => {
      source.send('the film itself');
      return tap.got('the film itself');
    });
    const [end] = us.node.report().pipes!;
    expect(end).toMatchObject({ connected: true, receives: [CAMERA] });
    const { srtpParameters } = await us.planner.call('preparePipe', { pipeId: end!.pipeId, workerId: us.workerId });
    expect(JSON.parse(srtpParameters!.text)).toMatchObject({ cryptoSuite: 'AEAD_AES_256_GCM' });
  });

  test('says which nodes the media crossed, own node first at the publisher', async () => {
    const { path } = await piped();
    expect(path).toEqual(['eu-1']);
    await us.signaling.call('openPeer', { peerId: 'peer_b', workerId: us.workerId });
    const rtpCapabilities = capabilities(us.node, us.workerId);
    const there = await us.signaling.call('consume', { peerId: 'peer_b', producerId: CAMERA, rtpCapabilities });
    expect(there.path).toEqual(['eu-1', 'us-1']);
    const here = await eu.signaling.call('consume', { peerId: 'peer_a', producerId: CAMERA, rtpCapabilities });
    expect(here.path).toEqual(['eu-1']);
  });

  test('lets a consume wait for the Producer, and ends its wait at the deadline', async () => {
    await us.signaling.call('openPeer', { peerId: 'peer_b', workerId: us.workerId });
    const rtpCapabilities = capabilities(us.node, us.workerId);
    const wanted = { peerId: 'peer_b', producerId: CAMERA, rtpCapabilities };
    expect(await refusal(us.signaling.call('consume', wanted, 100))).toBe('DEADLINE');
    const consumed = us.signaling.call('consume', wanted);
    const { source } = await piped();
    expect(await consumed).toMatchObject({ kind: 'video', path: ['eu-1', 'us-1'], producerPaused: false });
    source.close();
  });

  test('stops at once when the publisher pauses, and goes on when it resumes', async () => {
    const { source } = await piped();
    const tap = await openTap(us.node, us.workerId, CAMERA);
    await until(() => (source.send('one'), tap.got('one')));
    await eu.signaling.call('pauseProducer', { producerId: CAMERA, paused: true });
    await pause(50);
    source.send('while paused');
    await pause(100);
    expect(tap.got('while paused')).toBe(false);
    await us.signaling.call('pauseProducer', { producerId: CAMERA, paused: true });
    await until(() => tap.consumer.producerPaused);
    await eu.signaling.call('pauseProducer', { producerId: CAMERA, paused: false });
    await carry(eu, us, `${eu.workerId}>${us.workerId}`, CAMERA);
    await until(() => (source.send('after'), tap.got('after')));
  });

  test('ends with its Producer: the report says so, and Consumers below are told when it comes off', async () => {
    const { source, pipeId } = await piped();
    await us.signaling.call('openPeer', { peerId: 'peer_b', workerId: us.workerId });
    const rtpCapabilities = capabilities(us.node, us.workerId);
    const consumer = await us.signaling.call('consume', { peerId: 'peer_b', producerId: CAMERA, rtpCapabilities });
    await eu.signaling.call('closeProducer', { producerId: CAMERA });
    await eu.planner.event('nodeReport', ({ pipes }) => pipes.some((end) => end.connected && end.sends.length === 0));
    expect(source.producer.closed).toBe(true);
    await us.planner.call('stopOnPipe', { pipeId, producerId: CAMERA });
    const gone = await us.signaling.event('consumerGone');
    expect(gone).toMatchObject({ peerId: 'peer_b', consumerId: consumer.consumerId, producerId: CAMERA, roomId: ROOM });
  });

  test('merges the key-frame requests of ten Consumers below into a few upstream, and passes one on', async () => {
    const { source } = await piped();
    const taps = await Promise.all(Array.from({ length: 10 }, () => openTap(us.node, us.workerId, CAMERA)));
    await until(() => (source.send('start'), taps.every((tap) => tap.got('start'))));
    await pause(400);
    const before = source.keyFramesAsked();
    const began = Date.now();
    for (let round = 0; round < 15; round++) {
      await Promise.all(taps.map(({ consumer }) => consumer.requestKeyFrame()));
      source.send('key');
      await pause(30);
    }
    await pause(700);
    const asked = source.keyFramesAsked() - before;
    const allowed = 1 + Math.ceil((Date.now() - began) / 300);
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(asked).toBeLessThanOrEqual(allowed);
  });

  test('measures packets, bytes and the round trip', async () => {
    const { source } = await piped();
    const timer = setInterval(() => source.send('count me', true), 20);
    try {
      await until(
        () => {
          const [up] = eu.node.report().pipes!;
          const [down] = us.node.report().pipes!;
          const enough = (end: typeof up) => (end?.packets ?? 0n) > 20n && (end?.bytes ?? 0n) > 1_000n;
          return enough(up) && enough(down) && up!.rttMs! >= 0 && up!.rttMs! < 200;
        },
        'a measured Pipe',
        15_000,
      );
    } finally {
      clearInterval(timer);
    }
  });
});

describe('a Pipe that loses two packets of a hundred', () => {
  test('delivers every packet all the same: what is missing is sent again', async () => {
    await eu.signaling.call('openPeer', { peerId: 'peer_a', workerId: eu.workerId });
    const source = await openSource(eu.node, eu.workerId, CAMERA);
    const [pipeId, link] = await joinBadly();
    try {
      await carry(eu, us, pipeId, CAMERA);
      const tap = await openTap(us.node, us.workerId, CAMERA);
      await until(() => (source.send('start'), tap.got('start')));
      link.impair({ loss: 0.02 });
      const count = 600;
      for (let at = 0; at < count; at++) {
        source.send(`<frame ${at}>`, at % 100 === 0);
        if (at % 5 === 0) await pause(5);
      }
      link.impair({});
      // A gap shows with the next packet: a few more close the last one.
      await until(() => {
        source.send('end', false);
        return Array.from({ length: count }, (_, at) => tap.got(`<frame ${at}>`)).every(Boolean);
      }, 'every packet');
      expect(link.lost).toBeGreaterThan(0);
    } finally {
      link.close();
    }
  });
});

describe('what nobody below looks at', () => {
  test('does not go into the Pipe, comes again at once with a key frame, and costs nobody their Consumer', async () => {
    const { source, pipeId } = await piped();
    const tap = await openTap(us.node, us.workerId, CAMERA);
    await until(() => (source.send('one'), tap.got('one')));
    const carried = { pipeId, producerId: CAMERA, workerId: eu.workerId };
    await eu.planner.call('pauseOnPipe', { ...carried, paused: true });
    await eu.planner.event('nodeReport', ({ pipes }) => pipes.some(({ paused }) => paused.includes(CAMERA)));
    const before = tap.count();
    for (let at = 0; at < 5; at++) source.send('unseen');
    await pause(100);
    expect(tap.count()).toBe(before);
    const asked = source.keyFramesAsked();
    await eu.planner.call('pauseOnPipe', { ...carried, paused: false });
    await until(() => source.keyFramesAsked() > asked, 'a request for a key frame');
    await until(() => (source.send('again'), tap.got('again')));
    expect([tap.got('unseen'), tap.consumer.closed]).toEqual([false, false]);
    expect(eu.node.report().pipes![0]).toMatchObject({ sends: [CAMERA], paused: [] });
  });

  test('cannot be kept back where it does not go in', async () => {
    const { pipeId } = await piped();
    const lost = eu.planner.call('pauseOnPipe', { pipeId, producerId: 'prod_none', paused: true });
    expect(await refusal(lost)).toBe('NOT_FOUND');
  });
});

describe('a hundred newcomers', () => {
  test('below a Pipe cost the publisher one key frame in a while, not a hundred', async () => {
    const { source } = await piped();
    const early = await openTap(us.node, us.workerId, CAMERA);
    await until(() => (source.send('start'), early.got('start')));
    await pause(400);
    const before = source.keyFramesAsked();
    const began = Date.now();
    const crowd = Array.from({ length: 100 }, () => openTap(us.node, us.workerId, CAMERA));
    const taps = await Promise.all(crowd);
    await until(() => (source.send('key'), taps.every((tap) => tap.got('key'))));
    const windows = 1 + Math.ceil((Date.now() - began) / 300);
    const asked = source.keyFramesAsked() - before;
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(asked).toBeLessThanOrEqual(windows);
  });
});

describe('calls on a Pipe', () => {
  test('each done twice is done once', async () => {
    const { pipeId, source } = await piped();
    const prepare = () => eu.planner.call('preparePipe', { pipeId, workerId: eu.workerId });
    const [first, second] = await Promise.all([prepare(), prepare()]);
    expect(second).toEqual(first);
    expect(await join(eu, us)).toBe(pipeId);
    const sent = () => eu.planner.call('sendOnPipe', { pipeId, producerId: CAMERA });
    const [one, two] = await Promise.all([sent(), sent()]);
    expect(two).toEqual(one);
    await carry(eu, us, pipeId, CAMERA);
    const dump = await routerOf(eu.node, eu.workerId).dump();
    expect(dump.mapConsumerIdProducerId).toHaveLength(1);
    expect((await routerOf(us.node, us.workerId).dump()).mapProducerIdConsumerIds).toHaveLength(1);
    for (let times = 0; times < 2; times++) {
      await us.planner.call('stopOnPipe', { pipeId, producerId: CAMERA });
      await us.planner.call('closePipe', { pipeId });
    }
    expect(us.node.report().workers![0]!.routers).toEqual([]);
    source.close();
  });

  test('a Producer that is not there cannot be sent, and one id cannot come from two places', async () => {
    const { pipeId } = await piped();
    const lost = eu.planner.call('sendOnPipe', { pipeId, producerId: 'prod_none' });
    expect(await refusal(lost)).toBe('NOT_FOUND');
    const other = await join(eu, us, 'another');
    expect(await refusal(carry(eu, us, other, CAMERA))).toBe('MALFORMED');
  });

  test('an end that is asked to join another remote is closed, so that it can be made anew', async () => {
    const { pipeId } = await piped();
    const srtpParameters = jsonOf({
      cryptoSuite: 'AEAD_AES_256_GCM',
      keyBase64: Buffer.alloc(44, 1).toString('base64'),
    });
    const other = { pipeId, ip: '127.0.0.1', port: 21_499, srtpParameters };
    expect(await refusal(eu.planner.call('connectPipe', other))).toBe('STALE_INCARNATION');
    expect(eu.node.report().pipes).toEqual([]);
    await us.planner.call('closePipe', { pipeId });
    await join(eu, us);
  });

  test('an older Term is refused for its own kind of Lease, and only there', async () => {
    const { pipeId } = await piped();
    eu.planner.term = 7;
    await eu.planner.call('preparePipe', { pipeId, workerId: eu.workerId });
    eu.planner.term = 6;
    expect(await refusal(eu.planner.call('closePipe', { pipeId }))).toBe('STALE_TERM');
    await eu.signaling.call('pauseProducer', { producerId: CAMERA, paused: true });
    eu.signaling.term = 3;
    await eu.signaling.call('pauseProducer', { producerId: CAMERA, paused: false });
    eu.signaling.term = 2;
    expect(await refusal(eu.signaling.call('closeRoom', {}))).toBe('STALE_TERM');
    expect(eu.node.report().pipes).toHaveLength(1);
  });

  test('each kind of process may only make its own calls, and only with a Room', async () => {
    expect(await refusal(eu.signaling.call('preparePipe', { pipeId: 'p', workerId: eu.workerId }))).toBe('FORBIDDEN');
    const open = { peerId: 'peer_a', workerId: eu.workerId };
    expect(await refusal(eu.planner.call('openPeer', open))).toBe('FORBIDDEN');
    expect(await refusal(eu.planner.call('getPicture', {}))).toBe('UNSUPPORTED');
    expect(await refusal(eu.signaling.channel.request('openPeer', open))).toBe('MALFORMED');
    expect(await refusal(eu.signaling.call('openPeer', { ...open, peerId: '../../etc' }))).toBe('MALFORMED');
    expect(await refusal(eu.signaling.call('openPeer', { ...open, workerId: 'eu-1/7' }))).toBe('WORKER_DIED');
    expect(eu.node.report().workers![0]!.routers).toEqual([]);
  });
});

describe('a worker that is killed', () => {
  test('takes its Peers with it and is replaced; the node and the far end live on', async () => {
    const { pipeId } = await piped();
    await eu.signaling.call('produce', {
      peerId: 'peer_a',
      producerId: 'prod_mic',
      kind: 'audio',
      rtpParameters: jsonOf(opusParameters()),
      paused: false,
    });
    process.kill(eu.workers[0]!.pid, 'SIGKILL');
    const gone = await eu.signaling.event('peerGone');
    expect(gone).toMatchObject({ roomId: ROOM, peerId: 'peer_a', reason: 'WORKER_DIED' });
    const reborn = await eu.planner.event('nodeReport', ({ workers }) => workers[0]?.workerId === 'eu-1/0.1');
    expect(reborn).toMatchObject({ pipes: [], workers: [{ routers: [] }] });
    expect(eu.node.ready()).toBe(true);
    const stale = eu.signaling.call('openPeer', { peerId: 'peer_a', workerId: eu.workerId });
    expect(await refusal(stale)).toBe('WORKER_DIED');
    await eu.signaling.call('openPeer', { peerId: 'peer_a', workerId: 'eu-1/0.1' });
    expect(us.node.report().pipes).toMatchObject([{ pipeId, connected: true }]);
    await us.planner.call('closePipe', { pipeId });
    expect(us.node.report().workers![0]!.routers).toEqual([]);
  });
});
