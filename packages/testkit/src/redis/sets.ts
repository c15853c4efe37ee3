/** Several redis-servers that belong together: a master with a replica and three sentinels, or a Cluster of three masters. */
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startRedis, type RedisServer } from './server.ts';

const UP_WITHIN_MS = 30_000;

export interface RedisSentinels {
  readonly name: string;
  readonly servers: readonly [RedisServer, RedisServer];
  readonly sentinels: readonly RedisServer[];
  /** The port of the master, as the first sentinel sees it. */
  masterPort(): Promise<number>;
  close(): Promise<void>;
}

/** A master, a replica that follows it, and sentinels that promote the replica a second after the master is gone. */
export async function startSentinels(): Promise<RedisSentinels> {
  const name = 'veilcast';
  const started: RedisServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.close()));
  };
  try {
    // A replica that is promoted has to take writes at once.
    const settings = { 'repl-diskless-sync-delay': '0', 'repl-ping-replica-period': '1' };
    const master = await startRedis({ settings });
    started.push(master);
    const replica = await startRedis({ settings: { ...settings, replicaof: `127.0.0.1 ${master.port}` } });
    started.push(replica);
    await until(async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'));
    const sentinels = await Promise.all(
      [0, 1, 2].map(() =>
        startRedis({
          sentinel: true,
          file: [
            `sentinel monitor ${name} 127.0.0.1 ${master.port} 2`,
            `sentinel down-after-milliseconds ${name} 500`,
            `sentinel failover-timeout ${name} 3000`,
          ],
        }),
      ),
    );
    started.push(...sentinels);
    const masterPort = async (): Promise<number> => {
      const answer = await sentinels[0]!.cli('SENTINEL', 'get-master-addr-by-name', name);
      return Number(answer.split('\n')[1]);
    };
    await until(async () => {
      const seen = await Promise.all(sentinels.map((one) => one.cli('SENTINEL', 'master', name)));
      return seen.every((text) => /num-slaves\n1\n/.test(text) && /num-other-sentinels\n2\n/.test(text));
    });
    return { name, servers: [master, replica], sentinels, masterPort, close };
  } catch (error) {
    await close();
    throw error;
  }
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  close(): Promise<void>;
}

/** Three masters that share the slots, without replicas. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((server) => server.close()));
  };
  try {
    for (let at = 0; at < 3; at += 1)
      nodes.push(
        await startRedis({
          settings: {
            'cluster-enabled': 'yes',
            // Otherwise it is the port and 10,000, which may be taken, or none.
            'cluster-port': `${await freePort()}`,
            'cluster-node-timeout': '2000',
          },
        }),
      );
    const [first] = nodes;
    await first!.cli('--cluster', 'create', ...nodes.map(({ host, port }) => `${host}:${port}`), '--cluster-yes');
    await until(async () => {
      const seen = await Promise.all(nodes.map((node) => node.cli('CLUSTER', 'INFO')));
      return seen.every((text) => text.includes('cluster_state:ok') && text.includes('cluster_known_nodes:3'));
    });
    return { nodes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @throws Error when it does not come to hold */
export async function until(holds: () => Promise<boolean> | boolean, withinMs = UP_WITHIN_MS): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come to hold within ${withinMs} ms`);
    await wait(25);
  }
}
