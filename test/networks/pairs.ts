/**
 * Which two networks reach each other directly, as follows from how their NATs map and filter (RFC 5128): of two, one must be
 * reachable where the other sends to. A symmetric NAT shows each destination another port, which a port-restricted one never sent to.
 */
import { NETWORKS, type Network } from '@veilcast/testkit/lab';

export interface Pair {
  readonly one: Network;
  readonly other: Network;
  readonly direct: boolean;
}

/** By how they let in who was not sent to: anybody, known addresses, known ports; or not even that by the same port. */
const OPENNESS: Partial<Record<Network, number>> = {
  open: 3,
  'full-cone': 3,
  'address-restricted': 2,
  'port-restricted': 1,
  symmetric: 0,
  carrier: 0,
};

/** Every two of those that let UDP through, each once. */
export const PAIRS: readonly Pair[] = NETWORKS.flatMap((one, at) =>
  NETWORKS.slice(at).flatMap((other) => {
    const [a, b] = [OPENNESS[one], OPENNESS[other]];
    return a === undefined || b === undefined ? [] : [{ one, other, direct: a + b > 1 }];
  }),
);
