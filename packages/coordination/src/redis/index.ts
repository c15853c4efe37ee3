/**
 * Coordination over Redis 7 or newer: single, behind Sentinel, or as a Cluster (ADR 0022).
 *
 *     const store = redisCoordination({ place: { kind: 'redis', address: { host, port } }, clock, random });
 */
import { ClusterError, type Clock, type ErrorCode, type Random } from '@veilcast/protocol';
import type { Coordination } from '../ports.ts';
import { busIn } from './bus.ts';
import { directoryIn } from './directory.ts';
import { journalsIn } from './journals.ts';
import { keysOf, LEASE_SHARDS } from './keys.ts';
import { leasesIn } from './leases.ts';
import { Link, type LinkLimits } from './link.ts';
import { PROBE } from './scripts.ts';
import type { Listening, Operation, Run } from './view.ts';
import { dialOf, type RedisPlace } from './wires.ts';

export type { Address, Credentials, RedisPlace, Tls } from './wires.ts';
export type { Operation } from './view.ts';

export interface RedisOptions {
  readonly place: RedisPlace;
  /** Of timers, deadlines and waits. Never compared with the store's. */
  readonly clock: Clock;
  readonly random: Random;
  /** First part of all keys, the same for all processes of one cluster. */
  readonly keyPrefix?: string | undefined;
  readonly limits?: Partial<LinkLimits> | undefined;
  /** Told of each question: what, how it ended and how long it took, ms. */
  readonly observe?: ((operation: Operation, outcome: 'ok' | ErrorCode, ms: number) => void) | undefined;
  /** Told what a listener threw, and that the connection was lost or could not be made, once each time. */
  readonly report?: ((error: unknown) => void) | undefined;
}

const LIMITS: LinkLimits = { deadlineMs: 1_000, silenceMs: 2_000, dialMs: 3_000, inFlight: 4_096, redialMs: [50, 500] };
const PROBE_EVERY_MS = 1_000;
/** Without a probe that ended well for so long the store counts as away. */
const PROBE_AGE_MS = 3_000;

/** Connects in the background: `reachable` says when it did. Until then, and whenever the store is away, questions are refused. */
export function redisCoordination(options: RedisOptions): Coordination {
  const { clock, random, observe = () => undefined, report = () => undefined } = options;
  const keys = keysOf(options.keyPrefix ?? 'veilcast');
  const ends = new Set<() => void>();
  let closed = false;
  let foundAgainAt = -Infinity;
  let provenAt = -Infinity;
  let probes = 0;

  const listening: Listening = {
    alive: () => {
      if (closed) throw new ClusterError('CLOSED', 'this view of the store is closed');
    },
    owned: (end) => {
      const stop = (): void => {
        if (ends.delete(stop)) end();
      };
      ends.add(stop);
      return stop;
    },
    report,
  };
  const observed = async <R>(operation: Operation, ask: () => Promise<R>): Promise<R> => {
    const begun = clock.now();
    try {
      const answer = await ask();
      observe(operation, 'ok', clock.now() - begun);
      return answer;
    } catch (thrown) {
      observe(operation, ClusterError.of(thrown).code, clock.now() - begun);
      throw thrown;
    }
  };
  const run: Run = (operation, script, ofKeys, args) => observed(operation, () => link.run(script, ofKeys, args));
  /** Whether the shard remembers since when it has been there. */
  const probe = async (shard: number): Promise<boolean> => {
    const asked = clock.now();
    try {
      const answer = await run('probe', PROBE, [keys.marker(shard), keys.probe(shard)], []);
      provenAt = Math.max(provenAt, asked);
      return answer !== 0;
    } catch {
      // Counted; `reachable` says it when it lasts.
      return true;
    }
  };
  /** So that all shards count from now on, and no first Room waits because its shard was not asked before. */
  const markAll = (): void => {
    for (let shard = 0; shard < LEASE_SHARDS; shard += 1) void probe(shard);
  };
  const link: Link = new Link({
    dial: dialOf(options.place),
    clock,
    random,
    limits: { ...LIMITS, ...options.limits },
    report,
    onConnected: (again) => {
      if (again) foundAgainAt = clock.now();
      markAll();
      directory.lookAgain();
    },
  });
  const directory = directoryIn({ ...listening, keys, run, link, clock });
  const stopProbes = clock.every(PROBE_EVERY_MS, () => {
    void probe((probes += 1) % LEASE_SHARDS).then((remembers) => remembers || markAll());
  });
  const publish = (channel: string, message: Buffer) => observed('publish', () => link.publish(channel, message));

  return {
    leases: leasesIn(keys, run, () => clock.now() - foundAgainAt),
    directory,
    bus: busIn(keys, link, publish, listening),
    journals: journalsIn(keys, run),
    reachable: () => link.connected && clock.now() - provenAt < PROBE_AGE_MS,
    close: async () => {
      closed = true;
      stopProbes();
      for (const end of ends) end();
      link.close();
    },
  };
}
