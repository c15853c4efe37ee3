/** `veilcast size`: how large a cluster must be, with what that rests on. */
import { newestCosts } from '../costs/costs.ts';
import { short } from '@veilcast/cli/report';
import { rateOf, scenarioOf, type Stream } from './scenario.ts';
import { sizeOf, type Sized, type SizingInput } from './sizing.ts';
import { bitrateOf, countOf, priceOf, regionsOf } from './sizing-input.ts';
import { unitModel } from './unit-model.ts';
import { keptComparison } from './comparison.ts';

export interface SizeOptions {
  readonly viewers: string;
  readonly bitrate: string;
  readonly regions: string;
  readonly cores?: string | undefined;
  readonly nodeHour?: string | undefined;
  readonly egressGb?: string | undefined;
  readonly json: boolean;
}

const VIEWERS_MAX = 5_000_000;
const CORES_MAX = 256;
/** A key frame is as large as so many others (as the simulator's: 40 packets for 5). */
const KEY_FRAME_RATIO = 8;
const FRAMES_PER_S = 30;
/** Share of all viewers who come in the busiest minute. */
const JOINS_PER_MINUTE = 0.1;

/** A video of so many bits a second in full packets. */
function videoOf(bits: number, packetBytes: number): Stream {
  const perSecond = Math.max(FRAMES_PER_S, bits / 8 / packetBytes);
  const frame = Math.max(1, Math.round(perSecond / FRAMES_PER_S));
  return {
    perSecond,
    bytes: Math.max(100, Math.min(packetBytes, Math.round(bits / 8 / perSecond))),
    frame,
    keyFrame: frame * KEY_FRAME_RATIO,
  };
}

/** @throws ClusterError MALFORMED */
export function inputOf(options: SizeOptions): SizingInput {
  const { fleet, policy, keys, prices, audio, video } = scenarioOf('two-million');
  return {
    viewers: countOf(options.viewers, '--viewers', VIEWERS_MAX),
    regions: regionsOf(options.regions),
    video: videoOf(bitrateOf(options.bitrate), video.bytes),
    audio,
    fleet: {
      ...fleet,
      workersPerNode: options.cores === undefined ? fleet.workersPerNode : countOf(options.cores, '--cores', CORES_MAX),
    },
    policy,
    keys,
    prices: {
      ...prices,
      ...(options.nodeHour === undefined ? {} : { nodeHour: priceOf(options.nodeHour, '--node-hour') }),
      ...(options.egressGb === undefined ? {} : { egressGB: priceOf(options.egressGb, '--egress-gb') }),
    },
    joinsPerMinute: JOINS_PER_MINUTE,
  };
}

/** @throws ClusterError MALFORMED */
export function size(options: SizeOptions): void {
  const input = inputOf(options);
  const costs = newestCosts();
  const sized = sizeOf(unitModel(costs), input);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ input, sized, costsOf: costs.date }, undefined, 2)}\n`
      : textOf(input, sized, costs.date, costs.machine),
  );
}

function textOf(
  input: SizingInput,
  { capacity, needs, workers, depth, perRegion, nodeGbps }: Sized,
  date: string,
  machine: string,
): string {
  const { fleet, policy, keys, prices, video } = input;
  const { packets, bits } = rateOf(input);
  const worst = Math.max(0, ...(keptComparison()?.rows ?? []).map(({ errorPercent }) => Math.abs(errorPercent)));
  const lines: [string, string][] = [
    [
      'nodes',
      `${short(needs.nodes)} of ${fleet.workersPerNode} cores: ${perRegion.map(({ region, nodes }) => `${region} ${nodes}`).join(', ')}; ${short(100 * fleet.spare)} % of seats spare`,
    ],
    [
      'media',
      `${short(workers)} Workers in use, ${short(needs.mediaCoresBusy)} cores busy of ${short(needs.mediaCores)}; a tree of depth ${depth}`,
    ],
    [
      'signaling',
      `${short(needs.signalingProcesses)} processes of ${short(keys.socketsPerProcess)} sockets, ${short(needs.signalingCoresBusy)} cores busy, ${short(needs.signalingGiB)} GiB`,
    ],
    [
      'egress',
      `${short(needs.egressGbps)} Gb/s to viewers, ${short(needs.betweenRegionsGbps)} Gb/s between regions; ${short(nodeGbps)} of a node's ${fleet.nodeGbps} Gb/s`,
    ],
    ['cost', `${needs.currency}${short(needs.costPerHour)} an hour`],
    [
      'limit',
      `${capacity.workerSeats} viewers a Worker, bounded by ${capacity.bound} (key frame ${capacity.bounds['key frame']}, processor ${capacity.bounds.processor}, network ${capacity.bounds.network})`,
    ],
    ['limit', 'a Room has at most 100 Peers today: larger audiences wait for groups in levels (docs/sizing.md)'],
    ['measured', `unit costs of ${date} on ${machine}, medians`],
    [
      'measured',
      worst > 0
        ? `the simulator against a real run here: off by up to ${short(worst)} % (./veilcast sim here)`
        : 'no real run was compared yet (./veilcast sim here --keep)',
    ],
    [
      'extrapolated',
      `nodes scale linearly with their cores; ${short(packets)} packets and ${short(bits / 1e6)} Mb/s a viewer, frames of ${video.frame}, key frames of ${video.keyFrame} packets`,
    ],
    [
      'assumed',
      `a Worker at ${100 * policy.cpuMax} % of a core at most, a key frame through it in ${policy.keyFrameMs} ms, ${100 * JOINS_PER_MINUTE} % of the viewers come in the busiest minute`,
    ],
    [
      'assumed',
      `${prices.currency}${prices.nodeHour} a node and hour, ${prices.currency}${prices.egressGB} a GB out: --node-hour, --egress-gb`,
    ],
  ];
  return `${lines.map(([name, text]) => `  ${name.padEnd(13)}${text}`).join('\n')}\n`;
}
