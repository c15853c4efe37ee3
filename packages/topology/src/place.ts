/**
 * On which Worker a Peer goes, by the order of DESIGN §4: who may take it at all, where the Room already is, the region,
 * the nearest by measured round trip, two random choices by load.
 */
import type { NodeId, Random, RegionId, RegionProbe, Role, WorkerId } from '@veilcast/protocol';
import type { Policy, View, WorkerView } from './model.ts';
import { STREAMS_RESERVED } from './reservations.ts';
import { measuredRtt } from './sites.ts';

/**
 * Up to which load a Worker where the Room already is gets its next Peer. Higher: fewer Pipes, slower key frames on a
 * full Worker (DESIGN §6). Lower: small Rooms spread for nothing.
 */
export const STAY_LOAD_MAX = 0.5;

/**
 * Peers of one Room on a Worker before the next core is taken: each may watch the same stream, and a key frame of 40 packets
 * takes 8 to 10 µs a packet and viewer (DESIGN §6), 40 ms at a hundred. Higher: slower key frames. Lower: more Pipes.
 */
export const ROOM_PEERS_MAX = 100;

export interface PlaceRequest {
  readonly role: Role;
  /** Round trips that the client measured. */
  readonly probes: readonly RegionProbe[];
  /** Taken whatever was measured. */
  readonly region?: RegionId | undefined;
  /** Where Peers of the Room are, or were just placed, and how many. */
  readonly present: ReadonlyMap<WorkerId, number>;
  /** Workers that just failed this Peer. */
  readonly excluded: ReadonlySet<WorkerId>;
}

export type Placement =
  | {
      readonly kind: 'placed';
      readonly workerId: WorkerId;
      readonly nodeId: NodeId;
      readonly region: RegionId;
      /** Streams to reserve for it. */
      readonly streams: number;
    }
  | { readonly kind: 'refused'; readonly code: 'NO_REGION' | 'CLUSTER_FULL' };

/** Share of a Worker in use or promised, by the scarcer of core and streams. */
export function loadOf(worker: WorkerView): number {
  return Math.max(worker.cpu, (worker.streams + worker.reserved) / Math.max(1, worker.capacity));
}

/** Chooses a Worker; the caller reserves. The View must have all reservations counted in. */
export function place(view: View, request: PlaceRequest, policy: Policy, random: Random): Placement {
  const able = view.nodes
    .filter((node) => node.state === 'healthy')
    .filter((node) => policy.regions.length === 0 || policy.regions.includes(node.region))
    .filter((node) => request.region === undefined || node.region === request.region)
    .flatMap((node) => node.workers)
    .filter((worker) => !request.excluded.has(worker.workerId));
  if (able.length === 0) return { kind: 'refused', code: 'NO_REGION' };
  const streams = STREAMS_RESERVED[request.role];
  for (const tier of tiersOf(view, request, able)) {
    const roomy = tier.filter((worker) => worker.streams + worker.reserved + streams <= worker.capacity);
    const { stays, next, others } = spread(roomy, request, policy.roomPeersMax ?? ROOM_PEERS_MAX);
    const chosen = lightest(stays) ?? lightest(next) ?? lighterOfTwo(ofOneVersion(view, others, request), random);
    if (chosen) {
      return { kind: 'placed', workerId: chosen.workerId, nodeId: chosen.nodeId, region: chosen.region, streams };
    }
  }
  return { kind: 'refused', code: 'CLUSTER_FULL' };
}

/**
 * A Room stays on Nodes of the version that it is on, a new one goes to the newest: while a cluster is upgraded no Room is the
 * first to try two versions together. Only a preference: any Worker with room is better than none.
 */
function ofOneVersion(view: View, roomy: readonly WorkerView[], request: PlaceRequest): readonly WorkerView[] {
  const versions = new Map(view.nodes.flatMap((node) => node.workers.map((worker) => [worker.workerId, node.version])));
  const here = [...request.present.keys()].map((workerId) => versions.get(workerId));
  // Each version once: there are few of them, and comparing is what takes time among thousands of Workers.
  const among = new Set(here.length > 0 ? here : roomy.map(({ workerId }) => versions.get(workerId)));
  const newest = [...among].reduce((a, b) => (newerThan(b, a) ? b : a), undefined);
  const same = roomy.filter(({ workerId }) => versions.get(workerId) === newest);
  return same.length > 0 ? same : roomy;
}

/** By their numbers, part for part: 0.10.0 is newer than 0.9.1. */
function newerThan(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a !== undefined;
  return a.localeCompare(b, 'en', { numeric: true }) > 0;
}

/** Workers in the order in which they are tried: a region after the other, nearest first; those of unknown distance last. */
function tiersOf(view: View, request: PlaceRequest, able: readonly WorkerView[]): WorkerView[][] {
  const measured = new Map(request.probes.map((probe) => [probe.region, probe.rttMs]));
  const near = new Map<number, WorkerView[]>();
  const present: WorkerView[] = [];
  const unknown: WorkerView[] = [];
  const inhabited = new Set(able.filter((worker) => request.present.has(worker.workerId)).map((w) => w.region));
  const distances = new Map<RegionId, number | undefined>();
  for (const worker of able) {
    if (!distances.has(worker.region)) distances.set(worker.region, distanceTo(view, worker.region, measured));
    const distance = distances.get(worker.region);
    if (distance !== undefined) {
      const tier = near.get(distance);
      if (tier) tier.push(worker);
      else near.set(distance, [worker]);
    } else if (inhabited.has(worker.region)) present.push(worker);
    else unknown.push(worker);
  }
  const byDistance = [...near].sort(([a], [b]) => a - b).map(([, workers]) => workers);
  return [...byDistance, present, unknown].filter((tier) => tier.length > 0);
}

/** What the client measured, or what it measured to another region and that one to this. */
function distanceTo(view: View, region: RegionId, measured: ReadonlyMap<RegionId, number>): number | undefined {
  const direct = measured.get(region);
  if (direct !== undefined) return direct;
  let best: number | undefined;
  for (const [probed, rttMs] of measured) {
    const between = measuredRtt(view, probed, region);
    if (between !== undefined && (best === undefined || rttMs + between < best)) best = rttMs + between;
  }
  return best;
}

/**
 * Where the Room stays, and where it goes next once it has as many Peers on a Worker as a key frame bears: to another core of the
 * same host, to which a Pipe costs least.
 */
function spread(roomy: readonly WorkerView[], { present }: PlaceRequest, peersMax: number) {
  const light = roomy.filter((worker) => loadOf(worker) < STAY_LOAD_MAX);
  const isFull = ({ workerId }: WorkerView): boolean => (present.get(workerId) ?? 0) >= peersMax;
  const hosts = new Set(roomy.filter(isFull).map(({ nodeId }) => nodeId));
  return {
    stays: light.filter((worker) => present.has(worker.workerId) && !isFull(worker)),
    next: light.filter((worker) => hosts.has(worker.nodeId) && !isFull(worker)),
    others: roomy.every(isFull) ? roomy : roomy.filter((worker) => !isFull(worker)),
  };
}

function lightest(workers: readonly WorkerView[]): WorkerView | undefined {
  return workers.reduce<WorkerView | undefined>(
    (best, worker) => (best === undefined || loadOf(worker) < loadOf(best) ? worker : best),
    undefined,
  );
}

/** Two random ones, the less loaded of them: nearly as even as looking at all, and no herd on the emptiest. */
function lighterOfTwo(roomy: readonly WorkerView[], random: Random): WorkerView | undefined {
  if (roomy.length === 0) return undefined;
  const first = Math.floor(random.float() * roomy.length);
  const step = roomy.length > 1 ? 1 + Math.floor(random.float() * (roomy.length - 1)) : 0;
  const a = roomy[first];
  const b = roomy[(first + step) % roomy.length];
  if (!a || !b) return a ?? b;
  return loadOf(b) < loadOf(a) ? b : a;
}
