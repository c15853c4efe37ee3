/**
 * A want that ends, or that nobody looks at any more, is kept for a while as it was, so that a tab switch or a scrolled grid
 * does not close and re-open Pipes, nor stop what goes through them. A reducer: the caller keeps the state and comes back at `wakeAt`.
 */
import type { ProducerId, WorkerId } from '@veilcast/protocol';
import type { Demand, Policy, Want } from './model.ts';

interface Held {
  readonly producerId: ProducerId;
  readonly workerId: WorkerId;
  /** When the want was first missed; undefined while it is there. */
  readonly missedAt: number | undefined;
  /** When it was first idle; undefined while somebody looks. */
  readonly idleAt: number | undefined;
}

/** What has been wanted lately. Bounded by Producers times Workers of the present demand. */
export type Lingering = ReadonlyMap<string, Held>;

export const NOTHING_LINGERS: Lingering = new Map();

export interface Lingered {
  readonly state: Lingering;
  /** The demand with the wants that linger added, and those idle that have been for long. */
  readonly demand: Demand;
  /** When the next want falls away or is idle for long; undefined: nothing lingers. */
  readonly wakeAt: number | undefined;
}

/** Adds the wants that ended less than `policy.lingerMs` ago and whose Producer is still there. */
export function linger(state: Lingering, demand: Demand, policy: Policy, now: number): Lingered {
  const next = new Map<string, Held>();
  for (const { producerId, workerId, idle = false } of demand.wants) {
    const key = `${producerId} ${workerId}`;
    const idleAt = idle ? (state.get(key)?.idleAt ?? now) : undefined;
    next.set(key, { producerId, workerId, missedAt: undefined, idleAt });
  }
  const alive = new Set(demand.producers.map((producer) => producer.producerId));
  for (const [key, held] of state) {
    if (next.has(key) || !alive.has(held.producerId)) continue;
    const missedAt = held.missedAt ?? now;
    if (missedAt + policy.lingerMs > now) next.set(key, { ...held, missedAt });
  }
  const ends: number[] = [];
  const wants = [...next.values()].map(({ producerId, workerId, missedAt, idleAt }): Want => {
    const [missed, idle] = [missedAt, idleAt].map((at) => (at === undefined ? undefined : at + policy.lingerMs));
    if (missed !== undefined) ends.push(missed);
    if (idle !== undefined && idle > now) ends.push(idle);
    return idle !== undefined && idle <= now ? { producerId, workerId, idle: true } : { producerId, workerId };
  });
  return { state: next, demand: { ...demand, wants }, wakeAt: ends.length > 0 ? Math.min(...ends) : undefined };
}
