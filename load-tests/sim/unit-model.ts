/** The measured unit costs as the simulator and the sizing use them: medians, and a packet's cost by how busy its Worker is. Pure. */
import type { CostName, UnitCosts } from '../costs/costs.ts';

export interface UnitModel {
  /** Processor time of a packet forwarded to one viewer, µs, on a Worker that forwards so many a second. */
  packetUs(perSecond: number): number;
  /** µs for a packet. */
  readonly pipeSendUs: number;
  readonly pipeReceiveUs: number;
  readonly hopMs: number;
  /** Processor time, ms. */
  readonly joinMs: number;
  readonly joinWorkerMs: number;
  readonly joinWallMs: number;
  readonly socketKiB: number;
  readonly messageUs: number;
  readonly commitMadeMs: number;
  readonly commitTakenMs: number;
  readonly keySealedMs: number;
  readonly keyOpenedMs: number;
  /** A Plan over so many Workers, ms, in proportion to the one over 10,000. */
  planMs(workers: number): number;
  /** One placement among so many Workers, ms. */
  placeMs(workers: number): number;
}

/** Packets a second at which `packet` (30 viewers) and `packetBusy` (150) were measured, 150 a second each. */
const LIGHT = 30 * 150;
const BUSY = 150 * 150;

/** Between the two measured loads in proportion to the logarithm of the load; outside of them as at the nearer one. */
export function unitModel({ costs }: UnitCosts): UnitModel {
  const of = (name: CostName): number => (costs[name] ?? costs.packet).median;
  return {
    packetUs(perSecond) {
      const at = Math.log(Math.min(BUSY, Math.max(LIGHT, perSecond)) / LIGHT) / Math.log(BUSY / LIGHT);
      return of('packet') + (of('packetBusy') - of('packet')) * at;
    },
    pipeSendUs: of('pipeSend'),
    pipeReceiveUs: of('pipeReceive'),
    hopMs: of('pipeHop'),
    joinMs: of('join'),
    joinWorkerMs: of('joinWorker'),
    joinWallMs: of('joinWall'),
    socketKiB: of('socket'),
    messageUs: of('message'),
    commitMadeMs: of('commitMade'),
    commitTakenMs: of('commitTaken'),
    keySealedMs: of('keySealed'),
    keyOpenedMs: of('keyOpened'),
    planMs: (workers) => (of('plan10k') * workers) / 10_000,
    placeMs: (workers) => (of('place10k') * workers) / 10_000,
  };
}
