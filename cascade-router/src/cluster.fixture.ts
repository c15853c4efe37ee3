/** A cluster of fake nodes, cascade-routers and a signaling process, in one process under a virtual clock. */
import { connectChannel, memoryHub, type BodyInit, type Channel } from '@veilcast/control';
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import { createLogger, createMetrics, type ServiceContext } from '@veilcast/node-kit';
import { CascadePicture, ClusterError, type ErrorCode } from '@veilcast/protocol';
import { readJson } from '@veilcast/control';
import { seededRandom, virtualClock, type VirtualClock } from '@veilcast/testkit';
import { startCascadeRouter, type CascadeRouter } from './cascade-router.ts';
import type { CascadeConfigInput } from './config.ts';
import { FakeNode, type FakeNodeOptions } from './fake-node.fixture.ts';

export type Demand = Partial<BodyInit<'putDemand'>>;

export class Cluster {
  readonly clock: VirtualClock = virtualClock();
  readonly store = new MemoryStore(this.clock);
  /** One way between two processes, ms. */
  delayMs: (from: string, to: string) => number = () => 5;
  readonly hub = memoryHub({ clock: this.clock, fate: (from, to) => this.delayMs(from, to) });
  readonly random = seededRandom(7);
  /** How far the processes' clocks have jumped without a timer running: as after a pause of them all. */
  pausedMs = 0;
  readonly nodes: FakeNode[] = [];
  readonly routers = new Map<string, { router: CascadeRouter; context: ServiceContext; channel: Channel }>();
  readonly #versions = new Map<string, bigint>();

  context(name: string): ServiceContext {
    return {
      carrier: this.hub.carrier(name),
      coordination: memoryCoordination(this.store),
      clock: { ...this.clock, now: () => this.clock.now() + this.pausedMs },
      random: this.random,
      log: createLogger({ service: name, level: 'silent' }),
      metrics: createMetrics({ service: name }),
    };
  }

  async node(nodeId: string, region: string, options: Partial<FakeNodeOptions> = {}): Promise<FakeNode> {
    const node = await new FakeNode({ nodeId, region, context: this.context(nodeId), ...options }).start();
    this.nodes.push(node);
    return node;
  }

  async router(name: string, config: Partial<CascadeConfigInput> = {}): Promise<void> {
    const context = this.context(name);
    const address = `memory:${name}`;
    const policy = { lingerMs: 1_000, ...config.policy };
    const router = await startCascadeRouter({ context, config: { processId: name, address, ...config, policy } });
    const dialling = connectChannel({
      carrier: this.hub.carrier('sig'),
      address,
      clock: this.clock,
      hello: { kind: 'signaling', processId: 'sig', incarnation: 's1' },
      serve: () => Promise.reject(new ClusterError('UNSUPPORTED')),
    });
    this.routers.set(name, { router, context, channel: await this.whileTimePasses(dialling) });
    await this.clock.advance(500);
  }

  channel(name = 'r1'): Channel {
    const found = this.routers.get(name);
    if (!found) throw new Error(`no router ${name}`);
    return found.channel;
  }

  /** Whatever comes of it, after moving the clock until it has come. */
  async whileTimePasses<T>(asked: Promise<T>): Promise<T> {
    let over = false;
    const seen = asked.then(
      () => (over = true),
      () => (over = true),
    );
    await this.clock.runUntil(() => over);
    await seen;
    return asked;
  }

  async put(roomId: string, demand: Demand, to = 'r1', term = 1): Promise<void> {
    const version = (this.#versions.get(roomId) ?? 0n) + 1n;
    this.#versions.set(roomId, version);
    const body = { version, peers: [], producers: [], wants: [], ...demand };
    await this.whileTimePasses(this.channel(to).request('putDemand', body, { authority: { roomId, term } }));
  }

  place(roomId: string, peerId: string, body: Partial<BodyInit<'place'>> = {}, to = 'r1') {
    const asked = { peerId, role: 'speaker', probes: [], region: '', ...body };
    return this.channel(to).request('place', asked, { authority: { roomId, term: 1 } });
  }

  async picture(to = 'r1'): Promise<CascadePicture> {
    const { picture } = await this.whileTimePasses(this.channel(to).request('getPicture', {}));
    return readJson(picture, CascadePicture);
  }

  async metric(text: string, to = 'r1'): Promise<number> {
    const page = (await this.routers.get(to)?.context.metrics.metrics()) ?? '';
    const line = page.split('\n').find((one) => one.startsWith(text));
    return Number(line?.split(' ').at(-1));
  }

  /** Pipes of a Room whose two ends are joined to each other, with what comes out of them. */
  open(roomId: string): Record<string, string[]> {
    const pipes: Record<string, string[]> = {};
    const ends = this.nodes.flatMap((node) => [...node.ends.values()]).filter((end) => end.roomId === roomId);
    for (const end of ends) {
      const far = ends.find((other) => other.pipeId === end.pipeId && other.remotePort === end.port);
      if (!far || end.remotePort !== far.port || !end.pipeId.endsWith(`>${end.workerId}`)) continue;
      pipes[end.pipeId] = [...end.receives].filter((id) => far.sends.has(id)).sort();
    }
    return Object.fromEntries(Object.entries(pipes).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Ends of a Room on all nodes. */
  endCount(roomId: string): number {
    return this.nodes.flatMap((node) => [...node.ends.values()]).filter((end) => end.roomId === roomId).length;
  }

  /** How often a call was answered anywhere. */
  count(call: string): number {
    return this.nodes.flatMap((node) => node.calls).filter((one) => one.startsWith(`${call} `)).length;
  }

  async close(): Promise<void> {
    const all = [...this.routers.values()].map(({ router }) => router.close());
    await this.whileTimePasses(Promise.all([...all, ...this.nodes.map((node) => node.close())]));
    for (const { channel } of this.routers.values()) channel.close();
    // What was under way comes, and what the store keeps expires.
    await this.clock.advance(10_000);
  }
}

/** The code with which something is refused. */
export async function refusal(asked: Promise<unknown>): Promise<ErrorCode | 'accepted'> {
  return asked.then(
    () => 'accepted' as const,
    (thrown: unknown) => ClusterError.of(thrown).code,
  );
}

/** A demand in short: `p: a/0 > b/0 c/0` is a Producer on a/0 that the others want; each Worker has a Peer. */
export function demand(...lines: string[]): Demand {
  const parsed = lines.map((line) => {
    const [producerId = '', workerId = '', ...wantedAt] = line.split(/[:> ]+/);
    return { producerId, workerId, wantedAt };
  });
  const workers = new Set(parsed.flatMap(({ workerId, wantedAt }) => [workerId, ...wantedAt]));
  return {
    peers: [...workers].map((workerId) => ({ peerId: `peer-${workerId}`, workerId, role: 'speaker' })),
    producers: parsed.map(({ producerId, workerId }) => ({ producerId, workerId, kind: 'video' })),
    wants: parsed.flatMap(({ producerId, wantedAt }) => wantedAt.map((workerId) => ({ producerId, workerId }))),
  };
}
