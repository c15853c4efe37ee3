/**
 * A want that ends is kept for a while, so that a tab switch or a scrolled grid does not close and re-open Pipes.
 * A reducer: the caller keeps the state and comes back at `wakeAt`.
 */
import type { ProducerId, WorkerId } from '@veilcast/protocol';
import type { Demand, Policy } from './model.ts';

interface Held {
  readonly producerId: ProducerId;
  readonly workerId: WorkerId;
  /** When the want was first missed; undefined while it is there. */
  readonly missedAt: number | undefined;
}

/** What has been wanted lately. Bounded by Producers times Workers of the present demand. */
export type Lingering = ReadonlyMap<string, Held>;

export const NOTHING_LINGERS: Lingering = new Map();

export interface Lingered {
  readonly state: Lingering;
  /** The demand with the wants that linger added. */
  readonly demand: Demand;
  /** When the next want falls away; undefined: none lingers. */
  readonly wakeAt: number | undefined;
}

/** Adds the wants that ended less than `policy.lingerMs` ago and whose Producer is still there. */
export function linger(state: Lingering, demand: Demand, policy: Policy, now: number): Lingered {
  const next = new Map<string, Held>();
  for (const want of demand.wants) {
    next.set(`${want.producerId} ${want.workerId}`, { ...want, missedAt: undefined });
  }
  const alive = new Set(demand.producers.map((producer) => producer.producerId));
  const extra: { producerId: ProducerId; workerId: WorkerId }[] = [];
  let wakeAt: number | undefined;
  for (const [key, held] of state) {
    if (next.has(key) || !alive.has(held.producerId)) continue;
    const missedAt = held.missedAt ?? now;
    const until = missedAt + policy.lingerMs;
    if (until <= now) continue;
    next.set(key, { ...held, missedAt });
    extra.push({ producerId: held.producerId, workerId: held.workerId });
    wakeAt = wakeAt === undefined ? until : Math.min(wakeAt, until);
  }
  return { state: next, demand: { ...demand, wants: [...demand.wants, ...extra] }, wakeAt };
}
