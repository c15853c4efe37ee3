/** The contract over a real Redis: single, behind sentinels, as a Cluster. */
import { coordinationContract } from '@veilcast/coordination/contract';
import {
  startRedis,
  startRedisCluster,
  startSentinels,
  type RedisCluster,
  type RedisSentinels,
  type RedisServer,
} from '@veilcast/testkit/redis';
import { afterAll, beforeAll, describe } from 'vitest';
import { redisSubject } from './subject.ts';

const TTL_MS = 600_000;

describe('a single Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.close());
  coordinationContract('redis', () => redisSubject({ kind: 'redis', address: server }, [server]), {
    ttlMs: TTL_MS,
    runs: 25,
    realTime: true,
  });
});

describe('a Redis behind sentinels', () => {
  let set: RedisSentinels;
  beforeAll(async () => {
    set = await startSentinels();
  });
  afterAll(() => set.close());
  coordinationContract(
    'sentinel',
    () => redisSubject({ kind: 'sentinel', sentinels: set.sentinels, master: set.name }, [set.servers[0]]),
    { ttlMs: TTL_MS, runs: 5, realTime: true },
  );
});

describe('a Redis Cluster', () => {
  let cluster: RedisCluster;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster.close());
  coordinationContract('cluster', () => redisSubject({ kind: 'cluster', nodes: cluster.nodes }, cluster.nodes, 50), {
    ttlMs: TTL_MS,
    runs: 5,
    realTime: true,
  });
});
