/** What the adapter answers when a real Redis fails, that it answers at all, and that it is well again afterwards. */
import type { Coordination } from '@veilcast/coordination';
import { redisCoordination, type RedisPlace } from '@veilcast/coordination/redis';
import { ClusterError, type Clock } from '@veilcast/protocol';
import { seededRandom, tcpProxy } from '@veilcast/testkit';
import { startRedis, startRedisCluster, startSentinels, until, type RedisServer } from '@veilcast/testkit/redis';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const clock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms / 10);
    return () => clearInterval(timer);
  },
};

/** Short, so that the tests are; far longer than an answer takes. */
const limits = { deadlineMs: 1_500, silenceMs: 1_000, dialMs: 1_000, inFlight: 600, redialMs: [20, 100] } as const;
const TTL_MS = 1_200;
/** Nothing may take longer: that would be a hang. */
const HANGS_MS = 15_000;

const OLD = `for shard = 0, 255 do redis.call('SET', 'veilcast:l:{l' .. shard .. '}:since', '1') end`;

const reports: ClusterError[] = [];
const views: Coordination[] = [];
afterEach(async () => {
  await Promise.all(views.splice(0).map((view) => view.close()));
  reports.length = 0;
});

function open(place: RedisPlace): Coordination {
  const random = seededRandom(views.length + 1);
  const view = redisCoordination({
    place,
    clock,
    random,
    limits,
    report: (error) => reports.push(ClusterError.of(error)),
  });
  views.push(view);
  return view;
}

async function opened(place: RedisPlace): Promise<Coordination> {
  const view = open(place);
  await until(() => view.reachable());
  return view;
}

/** How a question ends; never by not ending. */
async function ends(asked: Promise<unknown>): Promise<string> {
  const over = new AbortController();
  const hangs = wait(HANGS_MS, 'hangs', { signal: over.signal }).catch(() => 'over');
  const ended = asked.then(
    () => 'ok',
    (thrown: unknown) => ClusterError.of(thrown).code,
  );
  const how = await Promise.race([ended, hangs]);
  over.abort();
  return how;
}

/** How all that can be asked ends. */
async function all(view: Coordination): Promise<Set<string>> {
  const { leases, directory, bus } = view;
  const lease = { key: 'room/old', owner: 'me', term: 1, expiresAt: 0 };
  const asked = [
    leases.acquire('room/new', 'me', TTL_MS),
    leases.renew(lease, TTL_MS),
    leases.release(lease),
    leases.read('room/old'),
    directory.put('process/new', '1', TTL_MS),
    directory.remove({ key: 'process/new', value: '1', version: 1 }),
    directory.list('process/'),
    bus.publish('topic', Uint8Array.of(1)),
  ];
  return new Set(await Promise.all(asked.map(ends)));
}

async function recovers(view: Coordination): Promise<void> {
  await until(() => view.reachable());
  await until(async () => [...(await all(view))].join() === 'ok');
}

async function acquire(view: Coordination, key: string, owner: string) {
  for (;;) {
    const answer = await view.leases.acquire(key, owner, TTL_MS);
    if (answer.kind === 'held') return answer.lease;
    if (answer.kind === 'refused') throw new Error('another has it');
    await wait(answer.retryMs);
  }
}

describe('a single Redis', () => {
  let server: RedisServer;
  let place: RedisPlace;
  beforeAll(async () => {
    server = await startRedis({
      settings: { appendonly: 'yes', appendfsync: 'everysec', 'enable-debug-command': 'yes' },
    });
    place = { kind: 'redis', address: server };
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    // Whatever the test before left behind when it failed.
    await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '0', 'maxmemory', '0');
    await server.cli('REPLICAOF', 'NO', 'ONE');
    await server.cli('FLUSHALL');
    // It has been there for long: nobody waits for former owners.
    await server.cli('EVAL', OLD, '0');
  });

  test('slow: DEADLINE, and what was asked may have been done', async () => {
    const view = await opened(place);
    await server.cli('CLIENT', 'PAUSE', '2000', 'ALL');
    expect(await all(view)).toEqual(new Set(['DEADLINE']));
    await recovers(view);
  });

  test('stopped: DEADLINE, then refused at once; a full queue is OVERLOADED', async () => {
    const view = await opened(place);
    server.pause();
    const many = await Promise.all(Array.from({ length: 700 }, () => ends(view.leases.read('room/x'))));
    expect(new Set(many)).toEqual(new Set(['DEADLINE', 'OVERLOADED']));
    await until(async () => [...(await all(view))].join() === 'STORE_UNAVAILABLE');
    await until(() => !view.reachable());
    server.resume();
    await recovers(view);
  });

  test('full: OVERLOADED for what needs a place, and no half of anything', async () => {
    const view = await opened(place);
    const lease = await acquire(view, 'room/full', 'me');
    await server.cli('CONFIG', 'SET', 'maxmemory', '1');
    expect(await ends(view.leases.acquire('room/new', 'me', TTL_MS))).toBe('OVERLOADED');
    expect(await ends(view.leases.renew(lease, TTL_MS))).toBe('OVERLOADED');
    expect(await ends(view.directory.put('process/x', '1', TTL_MS))).toBe('OVERLOADED');
    expect(await ends(view.directory.list('process/'))).toBe('ok');
    await until(() => !view.reachable());
    await server.cli('CONFIG', 'SET', 'maxmemory', '0');
    await recovers(view);
    expect(await view.leases.renew(lease, TTL_MS)).toBe(true);
  });

  test('without enough replicas: STORE_UNAVAILABLE for writes', async () => {
    const view = await opened(place);
    await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '1');
    expect(await ends(view.leases.acquire('room/new', 'me', TTL_MS))).toBe('STORE_UNAVAILABLE');
    await server.cli('CONFIG', 'SET', 'min-replicas-to-write', '0');
    await recovers(view);
  });

  test('made a replica: STORE_UNAVAILABLE until it is a master again', async () => {
    const view = await opened(place);
    await server.cli('REPLICAOF', '127.0.0.1', '1');
    expect(await ends(view.leases.acquire('room/new', 'me', TTL_MS))).toBe('STORE_UNAVAILABLE');
    await until(async () => (await ends(view.leases.read('room/new'))) === 'STORE_UNAVAILABLE');
    expect(await ends(view.directory.list('process/'))).toBe('STORE_UNAVAILABLE');
    await server.cli('REPLICAOF', 'NO', 'ONE');
    await recovers(view);
  });

  test('flushed: holders have what they had, others wait, watchers see it empty and then full again', async () => {
    const [a, b] = [await opened(place), await opened(place)];
    const lease = await acquire(a, 'room/flushed', 'a');
    let seen = -1;
    b.directory.watch('process/', (entries) => (seen = entries.length));
    await a.directory.put('process/a', '1', 60_000);
    await until(() => seen === 1);
    await server.cli('FLUSHALL');
    expect(await b.leases.acquire('room/flushed', 'b', TTL_MS)).toMatchObject({ kind: 'unsettled' });
    await until(() => seen === 0);
    expect(await a.leases.renew(lease, TTL_MS)).toBe(true);
    expect(await b.leases.acquire('room/flushed', 'b', TTL_MS)).toMatchObject({
      kind: 'refused',
      lease: { owner: 'a' },
    });
    await a.directory.put('process/a', '1', 60_000);
    await until(() => seen === 1);
  });

  test('scripts forgotten: sent again', async () => {
    const view = await opened(place);
    await server.cli('SCRIPT', 'FLUSH');
    expect(await all(view)).toEqual(new Set(['ok']));
  });

  test('killed and started again with what it wrote down: the same Term, whoever asks first', async () => {
    const [a, b] = [await opened(place), await opened(place)];
    const lease = await acquire(a, 'room/restarted', 'a');
    await server.kill();
    await until(async () => (await ends(a.leases.renew(lease, TTL_MS))) === 'STORE_UNAVAILABLE');
    await wait(TTL_MS);
    await server.start();
    await until(() => b.reachable());
    // It has expired meanwhile, and is still a's to take back.
    expect(await b.leases.acquire('room/restarted', 'b', TTL_MS)).toMatchObject({ kind: 'unsettled' });
    await until(() => a.reachable());
    expect(await a.leases.renew(lease, TTL_MS)).toBe(true);
    expect(await b.leases.read('room/restarted')).toMatchObject({ owner: 'a', term: lease.term });
  });

  test('wrong password: STORE_UNAVAILABLE, reported once, without the password; the right one is let in', async () => {
    await server.cli('CONFIG', 'SET', 'requirepass', 'right');
    try {
      const stranger = open({ ...place, credentials: { password: 'wrong-secret' } });
      const right = open({ ...place, credentials: { password: 'right' } });
      await until(() => right.reachable() && reports.length > 0);
      expect(await all(stranger)).toEqual(new Set(['STORE_UNAVAILABLE']));
      expect(reports.map((error) => error.message)).toEqual(['the store refuses our credentials']);
      expect(JSON.stringify(reports) + reports.map((error) => String(error.cause)).join()).not.toContain('secret');
      await acquire(right, 'room/right', 'me');
    } finally {
      await server.cli('-a', 'right', '--no-auth-warning', 'CONFIG', 'SET', 'requirepass', '');
    }
  });

  test('keys of another type: INTERNAL, and nothing is overwritten', async () => {
    const view = await opened(place);
    await acquire(view, 'room/typed', 'me');
    const key = await server.cli('--scan', '--pattern', '*room/typed');
    await server.cli('SET', key, 'of another program');
    expect(await ends(view.leases.acquire('room/typed', 'me', TTL_MS))).toBe('INTERNAL');
    expect(await ends(view.leases.read('room/typed'))).toBe('INTERNAL');
    expect(await server.cli('GET', key)).toBe('of another program');
    await server.cli('DEL', key);
    await server.cli('HSET', key, 'owner', 'x'.repeat(5_000), 'term', '1', 'expiry', '99999999999999');
    expect(await ends(view.leases.read('room/typed'))).toBe('INTERNAL');
    await server.cli('DEL', key);
    await recovers(view);
  });

  test('cut between question and answer: STORE_UNAVAILABLE, and it was done; silence is noticed', async () => {
    const proxy = await tcpProxy(server);
    try {
      const view = await opened({ kind: 'redis', address: { host: '127.0.0.1', port: proxy.port } });
      const told: number[] = [];
      view.bus.subscribe('cut', (message) => told.push(message[0] ?? -1));
      proxy.swallowNext();
      const how = await ends(view.leases.acquire('room/cut', 'me', TTL_MS));
      // The answer that was swallowed may be a probe's.
      expect(['STORE_UNAVAILABLE', 'ok']).toContain(how);
      await recovers(view);
      const lease = await acquire(view, 'room/cut', 'me');
      proxy.setSilent(true);
      expect(await ends(view.leases.renew(lease, TTL_MS))).toBe('DEADLINE');
      await until(async () => (await ends(view.leases.read('room/cut'))) === 'STORE_UNAVAILABLE');
      proxy.setSilent(false);
      await recovers(view);
      // Subscribed again without being asked.
      await until(async () => {
        await view.bus.publish('cut', Uint8Array.of(7)).catch(() => undefined);
        return told.includes(7);
      });
      // Connections that were given up are not kept.
      await until(() => proxy.open === 2);
    } finally {
      await proxy.close();
    }
  });

  test('nobody there: refused at once, and found as soon as it is', async () => {
    await server.kill();
    const view = open(place);
    await until(() => reports.length > 0);
    expect(await all(view)).toEqual(new Set(['STORE_UNAVAILABLE']));
    expect(reports).toHaveLength(1);
    expect(reports[0]?.message).not.toContain(String(server.port));
    await server.start();
    await recovers(view);
  });

  test('closed while it connects and while it asks: CLOSED, and no connection is left', async () => {
    const proxy = await tcpProxy(server);
    try {
      const place = { kind: 'redis', address: { host: '127.0.0.1', port: proxy.port } } as const;
      const early = open(place);
      await early.close();
      expect(await all(early)).toEqual(new Set(['CLOSED']));
      const late = await opened(place);
      proxy.setSilent(true);
      const asked = ends(late.leases.read('room/x'));
      await late.close();
      expect(await asked).toBe('CLOSED');
      await until(() => proxy.open === 0);
    } finally {
      await proxy.close();
    }
  });
});

describe('a Redis behind sentinels', () => {
  test('fails over and loses the last writes: the same Term for who lives, a greater one after who does not', async () => {
    const set = await startSentinels();
    try {
      const { name: master, sentinels, servers } = set;
      const place: RedisPlace = { kind: 'sentinel', sentinels, master };
      const [a, b] = [await opened(place), await opened(place)];
      const before = await acquire(a, 'room/before', 'a');
      await until(async () => (await servers[1].cli('EXISTS', await keyOf(servers[1], 'room/before'))) === '1');
      servers[1].pause();
      const lost = await acquire(a, 'room/lost', 'a');
      const dead = await acquire(b, 'room/dead', 'dead');
      await servers[0].kill();
      servers[1].resume();
      expect(await ends(a.leases.renew(before, TTL_MS))).not.toBe('hangs');
      await until(async () => (await set.masterPort()) === servers[1].port);
      await until(() => a.reachable() && b.reachable());
      expect(await a.leases.renew(before, TTL_MS)).toBe(true);
      expect(await a.leases.renew(lost, TTL_MS)).toBe(true);
      expect(await b.leases.read('room/dead')).toBeUndefined();
      expect((await acquire(b, 'room/dead', 'b')).term).toBeGreaterThan(dead.term);
      await recovers(a);
    } finally {
      await set.close();
    }
  });
});

describe('a Redis Cluster', () => {
  test('a master dies and comes back: nothing hangs, all is well again', async () => {
    const cluster = await startRedisCluster();
    try {
      const view = await opened({ kind: 'cluster', nodes: cluster.nodes });
      const keys = Array.from({ length: 12 }, (_, at) => `room/${at}`);
      const leases = await Promise.all(keys.map((key) => acquire(view, key, 'me')));
      const [, dies] = cluster.nodes;
      await dies?.kill();
      const during = await Promise.all(leases.map((lease) => ends(view.leases.renew(lease, TTL_MS))));
      expect(during).not.toContain('hangs');
      await until(async () => (await all(view)).has('STORE_UNAVAILABLE'));
      await dies?.start();
      await recovers(view);
      // It wrote nothing down: what it had is taken back.
      expect(await Promise.all(leases.map((lease) => view.leases.renew(lease, TTL_MS)))).not.toContain(false);
      let seen = -1;
      view.directory.watch('process/', (entries) => (seen = entries.length));
      for (let at = 0; at < 20; at += 1) await view.directory.put(`process/late-${at}`, '1', 60_000);
      await until(() => seen >= 20);
    } finally {
      await cluster.close();
    }
  });
});

async function keyOf(server: RedisServer, lease: string): Promise<string> {
  return (await server.cli('--scan', '--pattern', `*${lease}`)) || 'none';
}
