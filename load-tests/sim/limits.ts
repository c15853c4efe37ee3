/** What would not hold, in sentences: goals of DESIGN §8 that the figures miss, and bounds of the product as it is. Pure. */
import { PEERS_MAX } from '@veilcast/protocol';
import type { Found } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { UnitModel } from './unit-model.ts';

/** DESIGN §8: everybody has the new key. */
export const REKEY_GOAL_MS = 500;
/** DESIGN §7: a host vanishes silently. */
const FAILOVER_GOAL_MS = 3_000;

export function limitsOf(
  found: Omit<Found, 'limits'>,
  scenario: Scenario,
  model: UnitModel,
  packets: number,
): string[] {
  const { needs, kick, leave, samples, capacity, happened } = found;
  const workers = Math.max(...samples.map((sample) => sample.workers));
  const joins = Math.max(...samples.map(({ joinsPerS }) => joinsPerS));
  const limits: string[] = [];
  if (scenario.viewers > PEERS_MAX)
    limits.push(
      `A Room of the product has at most ${PEERS_MAX} Peers: one MLS group. The levels of groups above it are not built; their times here are a simulated model.`,
    );
  for (const [what, { all }] of [
    ['thrown out', kick],
    ['gone', leave],
  ] as const) {
    if (all.p95 > REKEY_GOAL_MS)
      limits.push(
        `A new key after somebody was ${what} takes ${Math.round(all.p95)} ms p95, over the goal of ${REKEY_GOAL_MS} ms.`,
      );
  }
  const placeMs = model.placeMs(workers);
  if (joins * placeMs > 1_000)
    limits.push(
      `One placement among ${workers.toLocaleString('en')} Workers takes ${placeMs.toFixed(1)} ms: the one cascade-router of a Room places ${Math.round(1_000 / placeMs)} people a second, and ${joins.toLocaleString('en')} came. The simulation asks a Region at a time.`,
    );
  const planMs = model.planMs(workers);
  if (planMs > 100)
    limits.push(
      `A Plan over ${workers.toLocaleString('en')} Workers takes ${Math.round(planMs)} ms of one core; the first viewer of a new Worker waits for it.`,
    );
  const perProcess = (scenario.keys.socketsPerProcess * model.messageUs) / 1_000;
  if (perProcess > 100)
    limits.push(
      `A signaling process takes ${Math.round(perProcess)} ms to send one message to its ${scenario.keys.socketsPerProcess.toLocaleString('en')} sockets.`,
    );
  const failover = happened.find(({ kind }) => kind === 'regionLoss')?.ms;
  if (failover && failover.p95 > FAILOVER_GOAL_MS)
    limits.push(
      `After the loss of a Region its people have media again after ${(failover.p95 / 1_000).toFixed(1)} s p95, over the goal of ${FAILOVER_GOAL_MS / 1_000} s for a host: the nearest Region's signaling, made for its own people, lets them in one after the other.`,
    );
  if (capacity.bound === 'key frame')
    limits.push(
      `Key frames bound a Worker to ${capacity.workerSeats} viewers of one stream; its processor alone would take ${capacity.bounds.processor} at ${packets} packets a second each.`,
    );
  const most = Math.max(...samples.map(({ waiting }) => waiting));
  if (most > 0) limits.push(`Up to ${most.toLocaleString('en')} people waited for a seat until Nodes had booted.`);
  if (needs.signalingCoresBusy > needs.signalingProcesses)
    limits.push('Signaling needs more cores than it has processes: a new key a second is too much for it.');
  return limits;
}
