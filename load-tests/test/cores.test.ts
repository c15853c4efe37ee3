/**
 * One Room on all cores of a node: viewers spread over them, each stream crosses to each core once, and what one viewer's last mile does
 * to it stays its own. Real workers; viewers with ICE, DTLS, SRTP, repairs and feedback for the estimate of bandwidth, in Go.
 */
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasGo, startCrowd, type CrowdProgram, type Seen } from '../bench/crowd-program.ts';
import { followEstimates } from './estimates.ts';

const isPossible = await hasGo();

const WORKERS = 4;
const PEOPLE_A_CORE = 5;
const VIEWERS = 15;
/** Three layers of 1.5 Mb/s, 370 kb/s and 90 kb/s; who has not said what it shows gets the middle one. */
const CAMERA = {
  source: 'camera',
  shape: { fps: 15, frameBytes: 12_000, keyFrameBytes: 24_000, keyEvery: 60, packetBytes: 1_000, layers: 3 },
};
const MIDDLE_BPS = 360_000;
/** Room for the lowest layer alone. */
const NARROW_BPS = 200_000;
const LOSS_PERCENT = 3;
const FRAMES = 45;

describe.runIf(isPossible)('a Room on four cores', () => {
  let cluster: Cluster;
  const estimates = followEstimates();
  const crowds: CrowdProgram[] = [];

  async function join(count: number, link: object = {}): Promise<CrowdProgram> {
    const crowd = await startCrowd(cluster.origin);
    crowds.push(crowd);
    const people = { room: 'hall', role: 'viewer', count, keys: true, watch: true, link } as const;
    expect(await crowd.join(people)).toBe(count);
    return crowd;
  }

  /** One more viewer, behind this link, for as long as the step takes. */
  async function beside(link: object, step: (crowd: CrowdProgram) => Promise<void>): Promise<void> {
    const crowd = await join(1, link);
    try {
      await step(crowd);
    } finally {
      crowds.splice(crowds.indexOf(crowd), 1);
      await crowd.close();
    }
  }

  let well: CrowdProgram;
  const report = () => cluster.nodes[0]!.report();

  beforeAll(async () => {
    const regions = [RegionId.parse('eu')];
    const cores = { workers: WORKERS, roomPeersMax: PEOPLE_A_CORE };
    cluster = await startCluster({ port: 0, regions, lan: false, ...cores });
    const stage = await startCrowd(cluster.origin);
    crowds.push(stage);
    const speakers = { room: 'hall', role: 'speaker', count: 2, keys: true, publish: [CAMERA] } as const;
    expect(await stage.join(speakers)).toBe(2);
    well = await join(VIEWERS);
    await until(well, ({ waiting, came }) => waiting === 0 && came.streams === 2 * VIEWERS);
  });

  afterAll(async () => {
    await Promise.all(crowds.map((crowd) => crowd.close()));
    await cluster?.close();
  });

  test('has no more people on a core than it may, while another has room', () => {
    const peers = (report().workers ?? []).map(({ routers }) => routers?.[0]?.peers ?? 0);
    expect(peers.reduce((sum, count) => sum + count)).toBe(VIEWERS + 2);
    expect(Math.max(...peers)).toBeLessThanOrEqual(PEOPLE_A_CORE);
    expect(peers.filter((count) => count > 0)).toHaveLength(WORKERS);
  });

  test('carries each stream to each other core over one Pipe, once', () => {
    const { pipes = [], workers = [] } = report();
    const known = workers.map(({ routers }) => routers?.[0]?.producerIds ?? []);
    const all = [...new Set(known.flat())];
    expect(all).toHaveLength(2);
    for (const [at, { workerId }] of workers.entries()) {
      const came = pipes.filter((end) => end.workerId === workerId).flatMap(({ receives }) => receives ?? []);
      expect(new Set(came).size, `${workerId} gets a stream twice`).toBe(came.length);
      expect(new Set(known[at])).toEqual(new Set(all));
      // What does not come through a Pipe was made there.
      expect(came.length + all.filter((id) => !came.includes(id)).length).toBe(2);
    }
    const received = pipes.flatMap(({ receives }) => receives ?? []);
    expect(received).toHaveLength(2 * (WORKERS - 1));
  });

  test('what is lost on one last mile is repaired there, its estimate holds, and nobody else misses a packet', async () => {
    await beside({ lossPercent: LOSS_PERCENT }, async (lossy) => {
      const before = await well.count();
      const { came } = await until(lossy, (seen) => seen.came.frames > 2 * FRAMES);
      expect(came.repaired).toBeGreaterThan(0);
      expect(came.lost).toBeLessThan(came.packets / 200);
      const after = await well.count();
      expect(after.came.frames).toBeGreaterThan(before.came.frames + FRAMES);
      expect([after.came.lost - before.came.lost, after.came.repaired - before.came.repaired]).toEqual([0, 0]);
      // Everybody's, the lossy one's too: two cameras in the middle layer fit into all of them.
      const believed = [...(await estimates.now()).values()];
      expect(believed.length).toBeGreaterThan(VIEWERS);
      expect(Math.min(...believed)).toBeGreaterThan(2 * MIDDLE_BPS);
    });
  });

  test('who has little room is given less, alone', async () => {
    await beside({ bitsPerSecond: NARROW_BPS }, async (narrow) => {
      const before = await well.count();
      await until(narrow, ({ came }) => came.layerChanges > 0 && came.frames > FRAMES);
      const least = async (): Promise<number> => Math.min(...(await estimates.now()).values());
      await expect.poll(least, { timeout: 30_000 }).toBeLessThan(MIDDLE_BPS);
      const after = await well.count();
      expect(after.came.frames).toBeGreaterThan(before.came.frames + FRAMES);
      expect(troubles(after)).toEqual(troubles(before));
      const believed = [...(await estimates.now()).values()].toSorted((a, b) => a - b);
      expect(believed[1]).toBeGreaterThan(2 * MIDDLE_BPS);
    });
  });
});

/** Layers are no trouble: a viewer's estimate may still be rising to them. */
function troubles({ came: { lost, freezes } }: Seen): object {
  return { lost, freezes };
}

async function until(crowd: CrowdProgram, holds: (seen: Seen) => boolean): Promise<Seen> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    const seen = await crowd.count();
    if (holds(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`it did not come to hold: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
