/** Random histories of demands, faults and deaths; whatever happened, when it is quiet all that is wanted is there and nothing else. */
import { seededRandom } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { Cluster, demand, refusal } from './cluster.fixture.ts';
import type { FakeNode } from './fake-node.fixture.ts';

const SEEDS = 12;
const STEPS = 12;
const NODES = ['a', 'b', 'c', 'd'];
const ROOM = 'room';
/** Trees are laid anew soon, so that it happens while there are faults, and is over when they are. */
const RESTLESS = { restructureMs: 1_000 };

interface Wanted {
  readonly lines: string[];
  readonly wants: readonly { readonly producerId: string; readonly workerId: string }[];
}

/** Up to three Producers of random Workers, wanted at random ones. */
function someDemand(random: ReturnType<typeof seededRandom>, workers: readonly string[]): Wanted {
  const lines: string[] = [];
  const wants: { producerId: string; workerId: string }[] = [];
  for (let i = random.int(3); i >= 0; i -= 1) {
    const root = random.pick(workers);
    const producerId = `p${i}-${root.replace('/', '-')}`;
    const wantedAt = workers.filter((worker) => worker !== root && random.float() < 0.6);
    lines.push(`${producerId}: ${root} > ${wantedAt.join(' ')}`.replace(/ > $/, ''));
    for (const workerId of wantedAt) wants.push({ producerId, workerId });
  }
  return { lines, wants };
}

class History {
  readonly cluster = new Cluster();
  readonly random: ReturnType<typeof seededRandom>;
  owner = 'r1';
  wanted: Wanted = { lines: [], wants: [] };
  lives = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  async begin(): Promise<void> {
    for (const [i, name] of NODES.entries()) await this.start(name, i < 2 ? 'eu' : 'us');
    await this.cluster.router('r1', RESTLESS);
    await this.cluster.router('r2', RESTLESS);
  }

  async start(name: string, region: string): Promise<void> {
    this.lives += 1;
    await this.cluster.node(name, region, { workers: 2, incarnation: `i${this.lives}` });
  }

  /** What Peers of the demand produce is there; what they stopped producing is not. */
  produceAll(): void {
    for (const node of this.cluster.nodes) node.local.clear();
    for (const line of this.wanted.lines) {
      const [producerId = '', worker = ''] = line.split(/[:> ]+/);
      const [nodeId, index] = worker.split('/');
      this.nodeOf(nodeId)?.produce(ROOM, producerId, Number(index));
    }
    for (const node of this.cluster.nodes) node.changed();
  }

  nodeOf(nodeId: string | undefined): FakeNode | undefined {
    return this.cluster.nodes.find((node) => node.nodeId === nodeId);
  }

  async put(): Promise<void> {
    for (const to of [this.owner, 'r1', 'r2']) {
      const outcome = await refusal(this.cluster.put(ROOM, demand(...this.wanted.lines), to));
      if (outcome !== 'accepted') continue;
      this.owner = to;
      return;
    }
  }

  async step(): Promise<void> {
    const { cluster, random } = this;
    const node = random.pick(cluster.nodes);
    const what = random.int(8);
    if (what < 3) {
      const workers = cluster.nodes.flatMap((one) => [one.workerId(0), one.workerId(1)]);
      this.wanted = someDemand(random, workers);
      this.produceAll();
      await this.put();
    } else if (what === 3)
      node.refuseWith = random.float() < 0.3 ? undefined : random.pick(['INTERNAL', 'OVERLOADED'] as const);
    else if (what === 4) node.hung = !node.hung;
    else if (what === 5) node.ends.delete([...node.ends.keys()][random.int(4)] ?? '');
    else if (what === 6) await this.restart(node);
    else await this.takeOver();
    await cluster.clock.advance(random.int(3_000));
  }

  async restart(node: FakeNode): Promise<void> {
    const region = NODES.indexOf(node.nodeId) < 2 ? 'eu' : 'us';
    this.cluster.hub.kill(node.nodeId);
    await node.close();
    this.cluster.nodes.splice(this.cluster.nodes.indexOf(node), 1);
    await this.cluster.clock.advance(this.random.int(1_500));
    await this.start(node.nodeId, region);
    this.produceAll();
  }

  /** The owner starts anew, and the other one takes its Rooms. */
  async takeOver(): Promise<void> {
    const { cluster, owner } = this;
    const running = cluster.routers.get(owner);
    await cluster.whileTimePasses(running?.router.close() ?? Promise.resolve());
    running?.channel.close();
    cluster.routers.delete(owner);
    const starting = cluster.router(owner, RESTLESS);
    await cluster.whileTimePasses(starting);
    this.owner = owner === 'r1' ? 'r2' : 'r1';
    await this.put();
  }

  /** No more faults; signaling repeats its demand; time enough for all waits. */
  async quiet(): Promise<void> {
    for (const node of this.cluster.nodes) {
      node.refuseWith = undefined;
      node.hung = false;
    }
    for (let i = 0; i < 5; i += 1) {
      await this.put();
      await this.cluster.clock.advance(3_000);
    }
  }
}

for (let seed = 1; seed <= SEEDS; seed += 1) {
  test(`seed ${seed} comes to rest with what is wanted and nothing else`, async () => {
    const history = new History(seed);
    const { cluster } = history;
    await history.begin();
    for (let i = 0; i < STEPS; i += 1) await history.step();
    await history.quiet();
    for (const { producerId, workerId } of history.wanted.wants) {
      const node = history.nodeOf(workerId.split('/')[0]);
      expect([...(node?.producersOn(ROOM, workerId) ?? [])]).toContain(producerId);
    }
    const open = cluster.open(ROOM);
    expect(cluster.endCount(ROOM)).toBe(2 * Object.keys(open).length);
    const carried = Object.values(open).flat().length;
    const received = cluster.nodes.flatMap((node) => [...node.ends.values()].flatMap((end) => [...end.receives]));
    expect(received.length).toBe(carried);
    const before = cluster.nodes.flatMap((node) => node.calls).length;
    await cluster.clock.advance(10_000);
    expect(cluster.nodes.flatMap((node) => node.calls).length).toBe(before);
    await cluster.close();
    expect(cluster.clock.pending()).toBe(0);
  });
}
