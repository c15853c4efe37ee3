import {
  connectChannel,
  jsonOf,
  memoryHub,
  type BodyInit,
  type CallName,
  type Channel,
  type EventKind,
} from '@veilcast/control';
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import { createLogger, createMetrics } from '@veilcast/node-kit';
import {
  FakeMedia,
  seededRandom,
  virtualClock,
  type MediaHost,
  type SeededRandom,
  type VirtualClock,
} from '@veilcast/testkit';
import type { ClusterError } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startSfuNode, type SfuNode } from './index.ts';

const ROOMS = ['r1', 'r2'];
const FIRST = 'eu-1/0';
const WORKERS = [FIRST, 'eu-1/1'];
const RTP = jsonOf({ codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 }] });
const SRTP = jsonOf({ cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: 'AAAA' });

interface World {
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly media: FakeMedia;
  readonly host: MediaHost;
  readonly node: SfuNode;
  readonly signaling: Channel;
  readonly planner: Channel;
  readonly events: EventKind[];
  readonly metrics: ReturnType<typeof createMetrics>;
  readonly reports: Extract<EventKind, { case: 'nodeReport' }>['value'][];
  end(): Promise<void>;
}

async function world(seed: number, change: object = {}): Promise<World> {
  const clock = virtualClock();
  const random = seededRandom(seed);
  const media = new FakeMedia({ clock, latencyMs: 1 + random.int(5) });
  const host = media.host();
  const hub = memoryHub({ clock });
  const coordination = memoryCoordination(new MemoryStore(clock));
  const metrics = createMetrics({ service: 'sfu-node' });
  const starting = startSfuNode({
    config: { nodeId: 'eu-1', region: 'eu', address: 'memory:eu-1', workers: 2, media: { ip: '127.0.0.1' }, ...change },
    context: {
      carrier: hub.carrier('eu-1'),
      coordination,
      clock,
      random,
      log: createLogger({ service: 'sfu-node', level: 'silent' }),
      metrics,
    },
    createWorker: host.createWorker,
  });
  const node = await through(clock, starting);
  const dial = (kind: 'signaling' | 'cascade-router') =>
    connectChannel({
      carrier: hub.carrier(kind),
      address: 'memory:eu-1',
      hello: { kind, processId: kind, incarnation: 'inc_1' },
      clock,
      serve: () => Promise.reject(new Error('nothing is served here')),
    });
  const [signaling, planner] = await through(clock, Promise.all([dial('signaling'), dial('cascade-router')]));
  const events: EventKind[] = [];
  const reports: World['reports'] = [];
  signaling.onEvent((event) => void events.push(event));
  planner.onEvent((event) => void (event.case === 'nodeReport' && reports.push(event.value)));
  return {
    clock,
    random,
    media,
    host,
    node,
    signaling,
    planner,
    metrics,
    events,
    reports,
    end: async () => {
      await through(clock, node.close());
      signaling.close();
      planner.close();
      await coordination.close();
    },
  };
}

/** Lets virtual time go on until it is there. */
async function through<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  let done = false;
  void promise.finally(() => (done = true)).catch(() => undefined);
  await clock.runUntil(() => done);
  return promise;
}

/** Asks for something that may be refused, but never for a reason that is ours. */
async function ask<N extends CallName>(channel: Channel, roomId: string, name: N, body: BodyInit<N>): Promise<void> {
  try {
    await channel.request(name, body, { authority: { roomId, term: 1 }, deadlineMs: 500 });
  } catch (error) {
    const { code, message } = error as ClusterError;
    if (code === 'INTERNAL') throw new Error(`${name}: ${message}`, { cause: error });
  }
}

/** Both are under way at once. */
async function overtaken(...asked: Promise<void>[]): Promise<void> {
  await Promise.all(asked);
}

/** One act of somebody, out of everything that can be asked of a node, or done to it. */
function act({ random, signaling, planner, host, events }: World): Promise<void> | void {
  const roomId = random.pick(ROOMS);
  const peerId = `peer_${random.int(4)}`;
  const producerId = `prod_${random.int(5)}`;
  const pipeId = `pipe_${random.int(3)}`;
  const workerId = random.pick(WORKERS);
  const kind = 'audio';
  const consumerIds = [...events].flatMap((event) => (event.case === 'consumerGone' ? [event.value.consumerId] : []));
  switch (random.int(20)) {
    case 0:
    case 1:
    case 2:
      return ask(signaling, roomId, 'openPeer', { peerId, workerId });
    case 3:
      return overtaken(
        ask(signaling, roomId, 'openPeer', { peerId, workerId }),
        ask(signaling, roomId, 'closePeer', { peerId }),
      );
    case 4:
      return ask(signaling, roomId, 'closePeer', { peerId });
    case 5:
    case 6:
    case 7:
      return ask(signaling, roomId, 'produce', { peerId, producerId, kind, rtpParameters: RTP, paused: false });
    case 8:
      return ask(signaling, roomId, 'closeProducer', { producerId });
    case 9:
    case 10:
    case 11:
      return ask(signaling, roomId, 'consume', { peerId, producerId, rtpCapabilities: RTP });
    case 12:
      return consumerIds.length > 0
        ? ask(signaling, roomId, 'closeConsumers', { consumerIds: consumerIds.slice(-9) })
        : undefined;
    case 13:
      return ask(planner, roomId, 'preparePipe', { pipeId, workerId });
    case 14:
      return overtaken(
        ask(planner, roomId, 'preparePipe', { pipeId, workerId }),
        ask(planner, roomId, 'closePipe', { pipeId, workerId }),
      );
    case 15:
      return ask(planner, roomId, 'connectPipe', {
        pipeId,
        workerId,
        ip: '127.0.0.1',
        port: 40_000 + random.int(4),
        srtpParameters: SRTP,
      });
    case 16:
      return ask(planner, roomId, 'sendOnPipe', { pipeId, workerId, producerId });
    case 17:
      return ask(planner, roomId, 'receiveOnPipe', {
        pipeId,
        workerId,
        producerId,
        kind,
        rtpParameters: RTP,
        path: ['us-1'],
      });
    case 18:
      return random.float() < 0.5
        ? ask(planner, roomId, 'stopOnPipe', { pipeId, workerId, producerId })
        : ask(planner, roomId, 'closePipe', { pipeId, workerId });
    default: {
      const chance = random.float();
      if (chance < 0.2) return ask(signaling, roomId, 'closeRoom', {});
      if (chance < 0.3 && host.workers.length > 0) random.pick(host.workers).crash();
    }
  }
}

/** What the node says of itself is what mediasoup has, and no Router is open for nobody. */
function agrees({ node, media, host }: World): void {
  const { workers, pipes } = node.report();
  const routers = workers!.flatMap(({ workerId, routers: open }) => open!.map((router) => ({ workerId, ...router })));
  const sum = (pick: (worker: NonNullable<typeof workers>[number]) => number) =>
    workers!.reduce((all, worker) => all + pick(worker), 0);
  const counts = media.counts(host);
  expect({
    routers: routers.length,
    transports: sum((worker) => worker.transports!),
    producers: sum((worker) => worker.producers!),
    consumers: sum((worker) => worker.consumers!),
    pipes: pipes!.length,
  }).toEqual({ ...counts, transports: counts.transports + counts.pipes, workers: undefined });
  for (const router of routers) {
    const held =
      router.peers! + pipes!.filter((end) => end.roomId === router.roomId && end.workerId === router.workerId).length;
    expect(held, 'who holds the Router').toBeGreaterThan(0);
  }
}

describe('a node, whatever is asked of it in whatever order', () => {
  test('has what it says, says what it has, and has nothing once all is closed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(2 ** 31), async (seed) => {
        const here = await world(seed);
        const { clock, random, node, media } = here;
        const acts: Promise<void>[] = [];
        for (let step = 0; step < 100; step++) {
          const asked = act(here);
          if (asked) acts.push(asked);
          if (random.float() < 0.5) await clock.advance(random.int(12));
        }
        await through(clock, Promise.all(acts));
        await clock.advance(15_000);
        agrees(here);
        expect(here.reports.at(-1)!.pipes.length).toBe(node.report().pipes!.length);
        expect(media.listenerErrors).toEqual([]);
        const closing = ROOMS.map((roomId) => ask(here.signaling, roomId, 'closeRoom', {}));
        await through(clock, Promise.all(closing));
        await clock.advance(100);
        expect(media.counts(here.host)).toEqual({
          workers: 2,
          routers: 0,
          transports: 0,
          pipes: 0,
          producers: 0,
          consumers: 0,
        });
        agrees(here);
        await here.end();
        await clock.advance(10_000);
        expect(media.counts()).toMatchObject({ workers: 0 });
        expect(clock.pending()).toBe(0);
      }),
      { numRuns: 30 },
    );
  });
});

describe('reports', () => {
  test('changes that come together are told together, and soon', async () => {
    const here = await world(1);
    const { clock, signaling, reports } = here;
    await clock.advance(3_010);
    reports.length = 0;
    const asked = Array.from({ length: 50 }, (_, n) =>
      ask(signaling, 'r1', 'openPeer', { peerId: `peer_${n}`, workerId: FIRST }),
    );
    await through(clock, Promise.all(asked));
    await clock.advance(25);
    expect(reports.length).toBeGreaterThan(0);
    expect(reports.length).toBeLessThan(6);
    expect(reports.at(-1)).toMatchObject({
      workers: [{ transports: 100, routers: [{ roomId: 'r1', peers: 50 }] }, {}],
    });
    await here.end();
  });

  test('each second one comes with the share of a core that each worker used', async () => {
    const here = await world(2);
    for (const worker of here.host.workers) worker.cpu = 0.25;
    await here.clock.advance(3_500);
    expect(here.reports.length).toBeGreaterThanOrEqual(3);
    expect(here.reports.at(-1)?.workers.map(({ cpu }) => Math.round(cpu * 100))).toEqual([25, 25]);
    await here.end();
  });

  test('a draining node says so, takes no new Peers, and keeps those it has', async () => {
    const here = await world(3);
    const { clock, node, signaling, reports } = here;
    const open = (peerId: string) =>
      signaling.request('openPeer', { peerId, workerId: FIRST }, { authority: { roomId: 'r1', term: 1 } }).then(
        () => 'opened',
        (error: unknown) => (error as ClusterError).code,
      );
    expect(await through(clock, open('peer_a'))).toBe('opened');
    void node.drain();
    expect(await through(clock, open('peer_a'))).toBe('opened');
    expect(await through(clock, open('peer_b'))).toBe('NODE_DRAINING');
    await clock.advance(25);
    expect(reports.at(-1)).toMatchObject({ draining: true, workers: [{ routers: [{ peers: 1 }] }, {}] });
    await here.end();
  });

  test('a worker that dies again and again is replaced with growing waits, each time under a new id', async () => {
    const here = await world(4);
    const waits: number[] = [];
    for (let death = 0; death < 6; death++) {
      const from = here.clock.now();
      here.host.workers.at(-1)?.crash();
      await here.clock.runUntil(() => here.node.ready());
      waits.push(here.clock.now() - from);
    }
    for (const [death, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(50 * 2 ** death);
    const ids = here.node.report().workers!.map(({ workerId }) => workerId);
    expect(new Set(ids).size).toBe(2);
    await here.end();
  });
});

/** The Room r1 with a publisher and a watcher of three layers. */
async function watched(here: World) {
  const { clock, signaling } = here;
  const authority = { roomId: 'r1', term: 1 };
  const call = <N extends CallName>(name: N, body: BodyInit<N>) =>
    through(clock, signaling.request(name, body, { authority }));
  const codecs = [{ mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000 }];
  const encodings = ['q', 'h', 'f'].map((rid) => ({ rid, scalabilityMode: 'L1T3' }));
  for (const peerId of ['peer_a', 'peer_b']) await call('openPeer', { peerId, workerId: FIRST });
  const rtpParameters = jsonOf({ codecs, encodings });
  await call('produce', { peerId: 'peer_a', producerId: 'prod_camera', kind: 'video', rtpParameters });
  const rtpCapabilities = jsonOf({
    codecs: codecs.map((codec) => ({ ...codec, kind: 'video', preferredPayloadType: 101 })),
  });
  const watch = { peerId: 'peer_b', producerId: 'prod_camera', rtpCapabilities };
  const { consumerId, type } = await call('consume', watch);
  const told = (kind: EventKind['case']) => here.events.flatMap((event) => (event.case === kind ? [event.value] : []));
  return { call, consumerId, type, told, consumer: () => here.media.consumer(consumerId)! };
}

describe('a Consumer', () => {
  test('begins paused, and its layers are chosen and told', async () => {
    const here = await world(5);
    const { call, consumerId, type, told, consumer } = await watched(here);
    expect(type).toBe('simulcast');
    expect(consumer().paused).toBe(true);
    await call('pauseConsumers', { consumerIds: [consumerId], paused: false });
    await call('setLayers', { consumerId, spatial: 1, temporal: 0 });
    await here.clock.advance(50);
    expect(told('layersChanged').at(-1)).toMatchObject({ peerId: 'peer_b', consumerId, spatial: 1, temporal: 0 });
    await call('pauseConsumers', { consumerIds: [consumerId], paused: true });
    await here.clock.advance(50);
    expect(told('layersChanged').at(-1)).toMatchObject({ spatial: -1, temporal: -1 });
    await here.end();
  });

  test('asks for key frames of what it shows, and one that has gone does not keep others from it', async () => {
    const here = await world(6);
    const { call, consumerId, consumer } = await watched(here);
    await call('requestKeyFrames', { consumerIds: ['cons_gone', consumerId] });
    expect(consumer().producer.keyFrameRequests).toBe(1);
    await here.end();
  });

  test('cannot be of what its client cannot decode', async () => {
    const here = await world(7);
    const { call } = await watched(here);
    const rtpCapabilities = jsonOf({ codecs: [] });
    const wanted = call('consume', { peerId: 'peer_a', producerId: 'prod_camera', rtpCapabilities });
    await expect(wanted).rejects.toMatchObject({ code: 'CANNOT_CONSUME' });
    await here.end();
  });
});

describe('bounds and figures', () => {
  test('a Worker takes as many Peers and pipe ends as it may carry, and one more when one goes', async () => {
    const here = await world(8, { capacity: { peers: 2, pipes: 1 } });
    const { clock, signaling, planner } = here;
    const authority = { roomId: 'r1', term: 1 };
    const open = (peerId: string) =>
      through(clock, signaling.request('openPeer', { peerId, workerId: FIRST }, { authority }));
    const pipe = (pipeId: string) =>
      through(clock, planner.request('preparePipe', { pipeId, workerId: FIRST }, { authority }));
    await Promise.all([open('peer_a'), open('peer_b'), pipe('one')]);
    await expect(open('peer_c')).rejects.toMatchObject({ code: 'OVERLOADED' });
    await expect(pipe('two')).rejects.toMatchObject({ code: 'OVERLOADED' });
    await Promise.all([open('peer_a'), pipe('one')]);
    await through(clock, signaling.request('closePeer', { peerId: 'peer_a' }, { authority }));
    await open('peer_c');
    await here.end();
  });

  test('metrics count what is there and what was refused, under the name of the node', async () => {
    const here = await world(9);
    const { call } = await watched(here);
    await expect(call('consume', { peerId: 'none', producerId: 'p', rtpCapabilities: RTP })).rejects.toThrow();
    await here.clock.advance(1_100);
    const text = await here.metrics.metrics();
    expect(text).toMatch(/^veilcast_node_peers\{node="eu-1".*\} 2$/m);
    expect(text).toMatch(/^veilcast_node_consumers\{node="eu-1".*\} 1$/m);
    expect(text).toMatch(/^veilcast_node_refused_total\{node="eu-1",call="consume",code="NOT_FOUND".*\} 1$/m);
    await here.end();
  });
});
