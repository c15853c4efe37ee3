/** How long a join takes: round trips, the servers' own work, and the queue before signaling where more come than it can let in. */
import type { Random, RegionId } from '@veilcast/protocol';
import { drawAccess } from './access.ts';
import { Histogram } from './histogram.ts';
import { INSIDE_MS, oneWay } from './regions.ts';
import type { Scenario } from './scenario.ts';
import type { UnitModel } from './unit-model.ts';

/** Round trips before the first packet: TCP, TLS, WebSocket, veilcast/1, join; ICE and DTLS (2). */
export const JOIN_TRIPS = 8;
/** How many of a crowd are drawn; each stands for its share of them. */
const DRAWN = 8;

export class Joining {
  readonly all = new Histogram();
  readonly #model: UnitModel;
  readonly #scenario: Pick<Scenario, 'access' | 'keys'>;
  readonly #random: Random;
  /** By Region, work that waits before signaling, ms of processor time. */
  readonly #waiting = new Map<RegionId, number>();

  constructor(model: UnitModel, scenario: Pick<Scenario, 'access' | 'keys'>, random: Random) {
    this.#model = model;
    this.#scenario = scenario;
    this.#random = random;
  }

  /** How many processes of signaling a Region has for so many people. */
  processes(people: number): number {
    return Math.max(1, Math.ceil(people / this.#scenario.keys.socketsPerProcess));
  }

  /**
   * So many come within `ms` to the signaling of a Region which is made for `people`.
   * @param detectMs how long ago their last seat was lost
   * @param from their own Region, where that is another one
   */
  come(
    region: RegionId,
    count: number,
    ms: number,
    people: number,
    into: Histogram = this.all,
    detectMs = 0,
    from: string = region,
  ): void {
    const cores = this.processes(people);
    const before = this.#waiting.get(region) ?? 0;
    const after = before + count * this.#model.joinMs;
    this.#waiting.set(region, Math.max(0, after - cores * ms));
    for (let n = 0; n < DRAWN; n++) {
      // The crowd comes evenly within the time; who comes later meets a longer queue, less what was done meanwhile.
      const place = (n + 0.5) / DRAWN;
      const queued = Math.max(0, before + count * place * this.#model.joinMs - cores * ms * place) / cores;
      const trip = 2 * (drawAccess(this.#scenario.access, this.#random) + Math.max(INSIDE_MS, oneWay(from, region)));
      into.add(detectMs + queued + JOIN_TRIPS * trip + this.#model.joinWallMs, count / DRAWN);
    }
  }
}
