/** What so many viewers need in cores, memory, network and money: the same arithmetic for a simulation's peak and for sizing. Pure. */
import type { Needs } from './result.ts';
import { rateOf, type Scenario } from './scenario.ts';
import type { UnitModel } from './unit-model.ts';

export interface Peak {
  readonly viewers: number;
  readonly nodes: number;
  readonly mediaCoresBusy: number;
  readonly joinsPerS: number;
  /** Pipes from one Region to another. */
  readonly betweenRegions: number;
  /** Messages for one new key. */
  readonly keyDeliveries: number;
}

const HOUR_S = 3_600;

export function needsOf(
  model: UnitModel,
  scenario: Pick<Scenario, 'video' | 'audio' | 'fleet' | 'keys' | 'prices'>,
  peak: Peak,
): Needs {
  const { bits } = rateOf(scenario);
  const { fleet, keys, prices } = scenario;
  const signalingProcesses = Math.max(1, Math.ceil(peak.viewers / keys.socketsPerProcess));
  const egressGbps = (peak.viewers * bits) / 1e9;
  const betweenRegionsGbps = (peak.betweenRegions * bits) / 1e9;
  // At this size somebody leaves every second, and the keys change as often (one new key a second).
  const signalingUs = peak.keyDeliveries * model.messageUs + peak.joinsPerS * model.joinMs * 1_000;
  // Signaling shares hosts of the same kind.
  const hosts = peak.nodes + Math.ceil(signalingProcesses / fleet.workersPerNode);
  const gigabytesPerHour = ((egressGbps + betweenRegionsGbps) / 8) * HOUR_S;
  return {
    nodes: peak.nodes,
    mediaCores: peak.nodes * fleet.workersPerNode,
    mediaCoresBusy: round(peak.mediaCoresBusy),
    signalingProcesses,
    signalingCoresBusy: round(signalingUs / 1e6),
    signalingGiB: round((peak.viewers * model.socketKiB) / 2 ** 20),
    egressGbps: round(egressGbps),
    betweenRegionsGbps: round(betweenRegionsGbps),
    costPerHour: Math.round(hosts * prices.nodeHour + gigabytesPerHour * prices.egressGB),
    currency: prices.currency,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
