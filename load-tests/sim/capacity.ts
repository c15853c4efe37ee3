/** How many people a Worker, a Node and a signaling process take, and why no more: the same arithmetic for the simulator and for sizing. Pure. */
import { rateOf, type Scenario } from './scenario.ts';
import type { UnitModel } from './unit-model.ts';

export interface Capacity {
  /** Viewers of one Room on a Worker. */
  readonly workerSeats: number;
  /** What bounds it. */
  readonly bound: 'key frame' | 'processor' | 'network';
  /** What each bound alone would allow. */
  readonly bounds: Readonly<Record<'key frame' | 'processor' | 'network', number>>;
}

export type CapacityInput = Pick<Scenario, 'video' | 'audio' | 'fleet' | 'policy'>;

/** Processor time that a Worker needs for a second of media, µs. */
export function workerUs(
  model: UnitModel,
  { video, audio }: CapacityInput,
  viewers: number,
  pipesOut: number,
  isFed: boolean,
): number {
  const { packets } = rateOf({ video, audio });
  const forwarded = viewers * packets;
  return (
    forwarded * model.packetUs(forwarded) + packets * (pipesOut * model.pipeSendUs + (isFed ? model.pipeReceiveUs : 0))
  );
}

/** What a Worker takes as an inner one of the tree, so that any of them can be one. */
export function capacityOf(model: UnitModel, input: CapacityInput): Capacity {
  const { video, fleet, policy } = input;
  const { bits } = rateOf(input);
  let processor = 0;
  while (workerUs(model, input, processor + 1, policy.fanOutMax, true) <= policy.cpuMax * 1e6) processor += 1;
  // N · P · c (DESIGN §6): each packet of a key frame goes to each viewer, one after the other.
  const burst = (viewers: number): number => viewers * video.keyFrame * model.packetUs(viewers * video.perSecond);
  let keyFrame = 1;
  while (burst(keyFrame + 1) <= policy.keyFrameMs * 1_000) keyFrame += 1;
  const network = Math.floor((fleet.nodeGbps * 1e9) / bits / fleet.workersPerNode);
  const bounds = { 'key frame': keyFrame, processor, network };
  const workerSeats = Math.max(1, Math.min(...Object.values(bounds)));
  const bound = (Object.entries(bounds) as [Capacity['bound'], number][]).find(([, seats]) => seats <= workerSeats);
  return { workerSeats, bound: bound?.[0] ?? 'processor', bounds };
}
