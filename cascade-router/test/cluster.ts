/** Two sfu-nodes of two real mediasoup workers each, a cascade-router, and one who asks as signaling does, over a memory Carrier. */
import { connectChannel, memoryHub, readJson, type BodyInit, type Channel } from '@veilcast/control';
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import { createLogger, systemClock, systemRandom, type ServiceContext } from '@veilcast/node-kit';
import { startCascadeRouter, type CascadeRouter } from '@veilcast/cascade-router';
import { CascadePicture } from '@veilcast/protocol';
import { startSfuNode, type SfuNode } from '@veilcast/sfu-node';
import { createWorker, type types } from 'mediasoup';
import { Registry } from 'prom-client';

export const ROOM = 'demo';
const authority = { roomId: ROOM, term: 1 };

export class RealCluster {
  readonly nodes = new Map<string, SfuNode>();
  /** By id; the last one that was started under it. */
  readonly workers = new Map<string, types.Worker>();
  readonly #hub = memoryHub();
  readonly #store = memoryCoordination(new MemoryStore(systemClock));
  readonly #channels = new Map<string, Channel>();
  #router: CascadeRouter | undefined;
  #version = 0n;

  #context(name: string): ServiceContext {
    return {
      carrier: this.#hub.carrier(name),
      coordination: this.#store,
      clock: systemClock,
      random: systemRandom,
      log: createLogger({ service: name, level: 'silent' }),
      metrics: new Registry(),
    };
  }

  async start(): Promise<void> {
    for (const [nodeId, region, first] of [
      ['a', 'eu', 20_500],
      ['b', 'us', 20_600],
    ] as const) {
      let asked = 0;
      const node = await startSfuNode({
        config: {
          nodeId,
          region,
          address: nodeId,
          workers: 2,
          media: { ip: '127.0.0.1', pipePorts: { min: first, max: first + 99 } },
        },
        context: this.#context(nodeId),
        createWorker: async () => {
          const id = `${nodeId}/${asked++}`;
          const worker = await createWorker({ logLevel: 'none' });
          this.workers.set(id, worker);
          return worker;
        },
      });
      this.nodes.set(nodeId, node);
    }
    const config = { processId: 'c', address: 'c', policy: { lingerMs: 200 } };
    const router = await startCascadeRouter({ config, context: this.#context('c') });
    this.#router = router;
    for (const address of ['a', 'b', 'c']) this.#channels.set(address, await this.#dial(address));
    await until(async () => (await this.picture()).nodes.filter((node) => node.state === 'healthy').length === 2);
  }

  async #dial(address: string): Promise<Channel> {
    return connectChannel({
      carrier: this.#hub.carrier('s'),
      address,
      clock: systemClock,
      hello: { kind: 'signaling', processId: 's', incarnation: 'i' },
      serve: () => Promise.reject(new Error('nothing is served here')),
    });
  }

  channel(address: string): Channel {
    const channel = this.#channels.get(address);
    if (!channel) throw new Error(`no channel to ${address}`);
    return channel;
  }

  nodeOf(workerId: string): SfuNode {
    const node = this.nodes.get(workerId.split('/')[0] ?? '');
    if (!node) throw new Error(`no node of ${workerId}`);
    return node;
  }

  /** A Peer on this Worker, so that the Room has a Router there. */
  async openPeer(workerId: string): Promise<void> {
    const body = { peerId: `peer-${workerId}`, workerId };
    await this.channel(this.nodeOf(workerId).nodeId).request('openPeer', body, { authority });
  }

  /** One Producer, `camera` on `root`, wanted at these Workers. */
  async put(root: string, wantedAt: readonly string[]): Promise<void> {
    const demand: BodyInit<'putDemand'> = {
      version: (this.#version += 1n),
      peers: [root, ...wantedAt].map((workerId) => ({ peerId: `peer-${workerId}`, workerId, role: 'speaker' })),
      producers: [{ producerId: 'camera', workerId: root, kind: 'video' }],
      wants: wantedAt.map((workerId) => ({ producerId: 'camera', workerId })),
    };
    await this.channel('c').request('putDemand', demand, { authority });
  }

  async picture(): Promise<CascadePicture> {
    const { picture } = await this.channel('c').request('getPicture', {});
    return readJson(picture, CascadePicture);
  }

  /** Whether the Producer can be consumed there. */
  has(workerId: string): boolean {
    const workers = this.nodeOf(workerId).report().workers ?? [];
    const found = workers.find((worker) => worker.workerId === workerId);
    return found?.routers?.some((router) => router.producerIds?.includes('camera')) ?? false;
  }

  endCount(): number {
    return [...this.nodes.values()].reduce((sum, node) => sum + (node.report().pipes?.length ?? 0), 0);
  }

  async close(): Promise<void> {
    for (const channel of this.#channels.values()) channel.close();
    await this.#router?.close();
    for (const node of this.nodes.values()) await node.close();
    await this.#store.close();
  }
}

/** Waits until it holds. @throws Error after 10 s */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error('it did not come to hold within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
