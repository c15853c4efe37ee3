/**
 * Regions with nodes, cascade-routers, signaling and the store, as processes that can be killed, started again, paused
 * and cut off from each other. The services are the real ones; the media, the network and the time are not.
 */
import { startCascadeRouter, type CascadeRouter } from '@veilcast/cascade-router';
import { startSfuNode, type SfuNode } from '@veilcast/sfu-node';
import {
  FakeMedia,
  seededRandom,
  simulatedCluster,
  virtualClock,
  type MediaHost,
  type SeededRandom,
  type SimulatedCluster,
  type VirtualClock,
} from '@veilcast/testkit';
import { Chronicle } from './chronicle.ts';
import { Obedience } from './obedience.ts';
import { Life } from './processes.ts';
import { Site } from './site.ts';

/** How large a world is. Where a number is a pair, the seed chooses between the two. */
export interface Size {
  readonly regions: readonly string[];
  readonly nodesPerRegion: number;
  readonly routers: readonly [number, number];
  readonly sites: readonly [number, number];
  readonly people: number;
  readonly rooms: readonly string[];
  /** Acts and faults, at least. */
  readonly steps: number;
}

/** One way between two regions, ms, for each that they are apart. */
const APART_MS = 40;
/** Share of the store's answers that take long, and how long. */
const SLOW_ANSWERS = { share: 0.01, ms: 800 };
/** Clocks are wrong by up to so much, and too fast or slow by up to this share. */
const SKEW = { offsetMs: 5_000, rate: 0.01 };

interface RunningNode {
  readonly life: Life;
  readonly host: MediaHost;
  node: SfuNode | undefined;
}

interface RunningRouter {
  readonly life: Life;
  router: CascadeRouter | undefined;
}

export class World {
  readonly clock: VirtualClock = virtualClock(0);
  readonly random: SeededRandom;
  readonly chronicle = new Chronicle(this.clock);
  readonly obedience = new Obedience(this.chronicle);
  readonly cluster: SimulatedCluster;
  readonly media = new FakeMedia({ clock: this.clock, latencyMs: 1 });
  readonly nodes = new Map<string, RunningNode>();
  readonly routers = new Map<string, RunningRouter>();
  readonly sites = new Map<string, { readonly life: Life; readonly site: Site }>();
  readonly workers: number;
  readonly size: Size;
  readonly names: { readonly nodes: string[]; readonly routers: string[]; readonly sites: string[] };
  readonly #regionOf = new Map<string, string>();

  constructor(seed: number, size: Size) {
    this.size = size;
    this.random = seededRandom(seed);
    const { random } = this;
    const wrong = random.fork();
    this.cluster = simulatedCluster(this.clock, random.fork(), {
      delayMs: (from, to) => 1 + APART_MS * this.#apart(from, to),
      jitterMs: 10,
      loss: 0.02,
      skew: () => ({ offsetMs: wrong.float() * SKEW.offsetMs, rate: 1 + (wrong.float() * 2 - 1) * SKEW.rate }),
      storeMs: () => wrong.float() * (wrong.float() < SLOW_ANSWERS.share ? SLOW_ANSWERS.ms : 4),
    });
    this.workers = 1 + random.int(2);
    const several = (name: string, [few, many]: readonly [number, number]): string[] =>
      Array.from({ length: random.float() < 0.5 ? few : many }, (_, at) => `${name}-${at + 1}`);
    this.names = {
      nodes: size.regions.flatMap((region) =>
        Array.from({ length: size.nodesPerRegion }, (_, at) => `node-${region}-${at + 1}`),
      ),
      routers: several('cascade', size.routers),
      sites: several('signaling', size.sites),
    };
    for (const name of this.names.nodes) this.#regionOf.set(name, name.split('-')[1] ?? '');
    // The others are spread over the regions.
    for (const [at, name] of [...this.names.routers, ...this.names.sites].entries())
      this.#regionOf.set(name, size.regions[at % size.regions.length] ?? '');
  }

  #apart(from: string, to: string): number {
    const at = (name: string): number => this.size.regions.indexOf(this.#regionOf.get(name) ?? '');
    return Math.abs(at(from) - at(to));
  }

  get all(): readonly string[] {
    return [...this.names.nodes, ...this.names.routers, ...this.names.sites];
  }

  lifeOf(name: string): Life | undefined {
    return (this.nodes.get(name) ?? this.routers.get(name) ?? this.sites.get(name))?.life;
  }

  /** A new life of a process. Nothing waits for it: time must pass. */
  start(name: string): void {
    this.chronicle.note(`${name} starts`);
    const starting = this.#start(name);
    starting.catch((error: unknown) => this.lifeOf(name)?.bug(error));
  }

  kill(name: string): void {
    const life = this.lifeOf(name);
    if (!life?.alive) return;
    this.chronicle.note(`${name} is killed`);
    this.sites.get(name)?.site.resume();
    life.process.kill();
    this.nodes.get(name)?.host.end();
    this.sites.get(name)?.site.died();
  }

  pause(name: string): void {
    this.chronicle.note(`${name} is paused`);
    this.lifeOf(name)?.process.pause();
    this.sites.get(name)?.site.pause();
  }

  resume(name: string): void {
    if (this.lifeOf(name)?.alive !== true) return;
    this.chronicle.note(`${name} goes on`);
    this.lifeOf(name)?.process.resume();
    this.sites.get(name)?.site.resume();
  }

  /** What runs, is connected and can make a call. */
  get ready(): boolean {
    return (
      [...this.nodes.values()].every(({ node }) => node?.ready() === true) &&
      [...this.routers.values()].every(({ router }) => router?.ready() === true) &&
      [...this.sites.values()].every(({ site }) => site.cluster?.ready() === true)
    );
  }

  /** Resolves when all services have given everything back. */
  async close(): Promise<void> {
    await Promise.all([...this.sites.values()].map(({ site }) => site.close()));
    await Promise.all([...this.routers.values()].flatMap(({ router }) => router?.close() ?? []));
    await Promise.all([...this.nodes.values()].flatMap(({ node }) => node?.close() ?? []));
  }

  /** Moves time on until it is done. */
  async through<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const seen = promise.finally(() => (done = true));
    seen.catch(() => undefined);
    await this.clock.runUntil(() => done);
    return seen;
  }

  async #start(name: string): Promise<void> {
    const process = this.cluster.process(name);
    if (this.names.sites.includes(name)) {
      const life = new Life(process, this.chronicle);
      const site = new Site(name, life);
      this.sites.set(name, { life, site });
      await site.start();
    } else if (this.names.routers.includes(name)) {
      const life = new Life(process, this.chronicle, this.obedience.of(name, process.carrier));
      const running: RunningRouter = { life, router: undefined };
      this.routers.set(name, running);
      running.router = await startCascadeRouter({
        config: { processId: name, address: `memory:${name}`, policy: { lingerMs: 1_000 } },
        context: running.life.context,
      });
    } else {
      const life = new Life(process, this.chronicle, this.obedience.of(name, process.carrier));
      const host = this.media.host();
      const running: RunningNode = { life, host, node: undefined };
      this.nodes.set(name, running);
      const region = this.#regionOf.get(name) ?? '';
      running.node = await startSfuNode({
        config: { nodeId: name, region, address: `memory:${name}`, workers: this.workers, media: { ip: '127.0.0.1' } },
        context: life.context,
        createWorker: host.createWorker,
      });
    }
  }
}
