/** The viewers: cohorts, which are counts by Worker and come some at a time, or every one by itself with an access network of its own. */
import type { Random, RegionId } from '@veilcast/protocol';
import { drawAccess } from './access.ts';
import type { Fleet, Worker } from './fleet.ts';
import type { Scenario } from './scenario.ts';

/** People of a cohort who are placed together. More: faster, and coarser. */
const TOGETHER = 25;

export interface Seated {
  readonly worker: Worker;
  readonly count: number;
}

export class People {
  readonly exact: boolean;
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #access: Scenario['access'];
  /** One-way delays of who sits on a Worker; exact alone. */
  readonly #delays = new Map<Worker, number[]>();

  constructor(fleet: Fleet, access: Scenario['access'], exact: boolean, random: Random) {
    this.#fleet = fleet;
    this.#access = access;
    this.exact = exact;
    this.#random = random;
  }

  delaysOn(worker: Worker): readonly number[] {
    return this.#delays.get(worker) ?? [];
  }

  /** So many come to a Region. @returns who got where; fewer where the cluster was full */
  come(region: RegionId, count: number): Seated[] {
    const seated: Seated[] = [];
    for (let left = count; left > 0;) {
      const worker = this.#fleet.place(region, 'viewer');
      if (!worker) return seated;
      const room = this.#fleet.free(worker);
      const together = this.exact ? 1 : Math.min(left, TOGETHER, room > 0 ? room : TOGETHER);
      this.#fleet.sit(worker, together);
      if (this.exact) this.#listOf(worker).push(drawAccess(this.#access, this.#random));
      seated.push({ worker, count: together });
      left -= together;
    }
    return seated;
  }

  /** So many of a Region leave, whoever they are. */
  go(region: RegionId, count: number): void {
    const workers = [...(this.#fleet.seated.get(region) ?? [])];
    let most = workers.reduce((max, { viewers }) => Math.max(max, viewers), 0);
    for (let left = count; left > 0 && most > 0;) {
      const worker = workers[Math.floor(this.#random.float() * workers.length)];
      // Each person is as likely as any other: a Worker by its share.
      if (!worker || this.#random.float() * most >= worker.viewers) continue;
      this.#fleet.rise(worker, 1);
      this.#drop(worker, 1);
      left -= 1;
      if (this.#fleet.seated.get(region)?.size === 0) most = 0;
    }
  }

  /** All of a Worker are moved to others of its Region. @returns how many found none */
  move(worker: Worker): number {
    const count = worker.viewers;
    if (count === 0) return 0;
    this.#fleet.rise(worker, count);
    this.#drop(worker, count);
    const seated = this.come(worker.region, count);
    return count - seated.reduce((sum, one) => sum + one.count, 0);
  }

  /** They are gone with their Worker. */
  forget(worker: Worker): void {
    this.#delays.delete(worker);
  }

  #drop(worker: Worker, count: number): void {
    if (!this.exact) return;
    const list = this.#listOf(worker);
    for (let n = 0; n < count; n++) {
      const at = Math.floor(this.#random.float() * list.length);
      list[at] = list.at(-1) ?? 0;
      list.pop();
    }
  }

  #listOf(worker: Worker): number[] {
    const list = this.#delays.get(worker) ?? [];
    if (list.length === 0) this.#delays.set(worker, list);
    return list;
  }
}
