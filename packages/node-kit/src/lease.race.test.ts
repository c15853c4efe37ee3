/** Leases of processes that die, hang and lose the store, and of a store that forgets: what a receiver of effects sees (ADR 0021). */
import { seededRandom, simulatedCluster, virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LeaseHolder, type HeldLease } from './lease.ts';

const KEY = 'room/demo';
const TTL_MS = 3_000;

const step = fc.record({
  who: fc.nat(2),
  what: fc.constantFrom(
    ...([
      ...(['acquire', 'acquire', 'release', 'kill', 'pause', 'resume', 'wait', 'wait', 'wait'] as const),
      ...(['down', 'silent', 'up', 'all down', 'all up', 'forget'] as const),
    ] as const),
  ),
  ms: fc.nat(2_500),
});

/** Three processes that want one key, and a node that obeys whoever has the greatest Term it saw. */
class Scene {
  readonly clock = virtualClock();
  readonly cluster;
  readonly lives = [0, 0, 0];
  readonly processes;
  readonly holders;
  readonly paused = [false, false, false];
  readonly holding: (HeldLease | undefined)[] = [undefined, undefined, undefined];
  /** Who acted in a Term. */
  readonly actors = new Map<number, string>();
  highest = 0;

  constructor(seed: number) {
    this.cluster = simulatedCluster(this.clock, seededRandom(seed));
    this.processes = this.lives.map((_, who) => this.cluster.process(`p${who}`));
    this.holders = this.processes.map((_, who) => this.holderOf(who));
  }

  holderOf(who: number): LeaseHolder {
    const { clock, coordination } = this.processes[who];
    return new LeaseHolder({ leases: coordination.leases, clock, owner: `p${who}/${this.lives[who]}`, ttlMs: TTL_MS });
  }

  acquire(who: number): void {
    const process = this.processes[who];
    if (this.paused[who] || (this.holding[who] !== undefined && !this.holding[who].lost)) return;
    this.holders[who]
      ?.hold(KEY, () => undefined)
      .then(
        (held) => {
          if (held.kind === 'refused' || !process.alive) return;
          // Asked twice at the same time: two lives, of which one was refused, or came after the other.
          if (this.holding[who] !== undefined && !this.holding[who].lost) void held.release().catch(() => undefined);
          else this.holding[who] = held;
        },
        () => undefined,
      );
  }

  kill(who: number): void {
    this.processes[who] = this.cluster.process(`p${who}`);
    this.lives[who] = (this.lives[who] ?? 0) + 1;
    this.holders[who] = this.holderOf(who);
    this.holding[who] = undefined;
    this.paused[who] = false;
  }

  /** All who believe that they hold it, and run, act on the node. */
  act(): void {
    for (const [who, held] of this.holding.entries()) {
      if (held === undefined || held.lost || this.paused[who]) continue;
      const { term, owner } = held.lease;
      // STALE_TERM: the receiver tells it, and it gives up (DESIGN §3.2).
      if (term < this.highest) {
        void held.release().catch(() => undefined);
        this.holding[who] = undefined;
        continue;
      }
      expect(this.actors.get(term) ?? owner).toBe(owner);
      this.actors.set(term, owner);
      this.highest = term;
    }
  }

  believers(): readonly HeldLease[] {
    return this.holding.filter((held) => held !== undefined && !held.lost) as HeldLease[];
  }

  async take({ who, what, ms }: { who: number; what: string; ms: number }): Promise<void> {
    const process = this.processes[who];
    if (what === 'acquire') this.acquire(who);
    else if (what === 'release' && !this.paused[who]) {
      void this.holding[who]?.release().catch(() => undefined);
      this.holding[who] = undefined;
    } else if (what === 'kill') this.kill(who);
    else if (what === 'pause') {
      process.pause();
      this.paused[who] = true;
    } else if (what === 'resume') {
      process.resume();
      this.paused[who] = false;
    } else if (what === 'wait') await this.clock.advance(ms);
    else if (what === 'forget') this.cluster.store.forget();
    else if (what === 'all down') this.cluster.setStore('down');
    else if (what === 'all up') this.cluster.setStore('up');
    else if (what === 'down' || what === 'silent' || what === 'up') this.cluster.setStore(what, `p${who}`);
    await this.clock.settle();
  }

  async heal(): Promise<void> {
    this.cluster.setStore('up');
    for (const who of [0, 1, 2]) {
      this.processes[who]?.resume();
      this.paused[who] = false;
      this.cluster.setStore('up', `p${who}`);
    }
    await this.clock.advance(TTL_MS * 3);
  }
}

test('one acts in a Term, the node obeys Terms that only grow, and in the end one holds it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 50 }), fc.nat(), async (steps, seed) => {
      const scene = new Scene(seed);
      for (const one of steps) {
        await scene.take(one);
        scene.act();
      }
      await scene.heal();
      scene.act();
      await scene.clock.settle();
      expect(scene.believers().length).toBeLessThanOrEqual(1);
      if (scene.believers().length === 0) scene.acquire(0);
      await scene.clock.advance(TTL_MS * 3);
      scene.act();
      expect(scene.believers()).toHaveLength(1);
    }),
    { numRuns: 150 },
  );
});

test('whatever the store does to everybody alike, who holds it keeps it under its Term while nobody else asks in time', async () => {
  const outage = fc.record({ what: fc.constantFrom('all down', 'all up', 'forget', 'wait'), ms: fc.nat(9_000) });
  await fc.assert(
    fc.asyncProperty(fc.array(outage, { maxLength: 20 }), async (steps) => {
      const scene = new Scene(1);
      scene.acquire(0);
      await scene.clock.settle();
      const [first] = scene.believers();
      for (const one of steps) await scene.take({ who: 0, ...one });
      await scene.heal();
      expect(scene.believers()).toEqual([first]);
      expect(scene.cluster.store.leases.get(KEY)).toMatchObject({ term: first?.lease.term, owner: first?.lease.owner });
    }),
    { numRuns: 60 },
  );
});
