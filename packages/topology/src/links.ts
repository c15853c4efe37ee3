/**
 * The Pipes of one Room while its Plan is made: which exist, and how many more each Worker may send on. Trees of
 * different publishers share them, since one Pipe carries every Producer between its two Workers.
 */
import type { WorkerId } from '@veilcast/protocol';

export interface Links {
  has(from: WorkerId, to: WorkerId): boolean;
  /** Where this Worker sends to already. */
  out(from: WorkerId): ReadonlySet<WorkerId>;
  /** How many further Pipes it may send on. */
  free(from: WorkerId): number;
  add(from: WorkerId, to: WorkerId): void;
}

const NONE: ReadonlySet<WorkerId> = new Set();

/** No Pipes yet; `fanOutMax` says how many each Worker may have. */
export function linksWithin(fanOutMax: (worker: WorkerId) => number): Links {
  const links = new Map<WorkerId, Set<WorkerId>>();
  return {
    has: (from, to) => links.get(from)?.has(to) ?? false,
    out: (from) => links.get(from) ?? NONE,
    free: (from) => fanOutMax(from) - (links.get(from)?.size ?? 0),
    add(from, to) {
      const out = links.get(from);
      if (out) out.add(to);
      else links.set(from, new Set([to]));
    },
  };
}
