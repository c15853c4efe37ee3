/** The second client, in Go, in a real cluster: what it says is understood, and what it sees is what was sent. Needs Go. */
import { startCluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { observer, type types } from 'mediasoup';
import { expect, test } from 'vitest';
import { audience, MISSING } from '../bench/audience.ts';
import { hasGo, startCrowd, type CrowdProgram, type Seen } from '../bench/crowd-program.ts';
import { roomMessage } from '../bench/room-message.ts';

const isPossible = await hasGo();

const camera = {
  source: 'camera',
  shape: { fps: 30, frameBytes: 2_000, keyFrameBytes: 8_000, keyEvery: 60, packetBytes: 1_000, layers: 1 },
};

/** Where there is no Go these could only fail: `load-tests/k6/check.sh` says what to install. */
const leak = { isPlanted: false, count: 0 };
/** Whoever comes to a Router leaves a Consumer there that nobody closes. */
observer.on('newworker', (worker) =>
  worker.observer.on('newrouter', (router) => {
    let nobody: Promise<types.DirectTransport> | undefined;
    router.observer.on('newtransport', (transport) =>
      transport.observer.on('newconsumer', ({ producerId }) => {
        if (!leak.isPlanted || transport.type === 'direct') return;
        leak.count++;
        nobody ??= router.createDirectTransport();
        void nobody.then((to) => to.consume({ producerId, rtpCapabilities: router.rtpCapabilities }));
      }),
    );
  }),
);

test.runIf(isPossible)('a crowd joins, watches, is spoken to, is cut off and comes back', async () => {
  const regions = ['eu', 'us'].map((region) => RegionId.parse(region));
  const cluster = await startCluster({ port: 0, regions, lan: false });
  let crowd: CrowdProgram | undefined;
  try {
    crowd = await startCrowd(cluster.origin);
    const room = 'crowd';
    expect(await crowd.join({ room, role: 'speaker', count: 1, keys: true, publish: [camera] })).toBe(1);
    expect(await crowd.join({ room, role: 'viewer', count: 4, keys: true, watch: true })).toBe(4);
    const seen = await until(crowd, ({ keyed, came }) => keyed === 5 && came.frames > 60);
    expect(seen.came.packets).toBeGreaterThan(seen.came.frames);

    expect(await crowd.say()).toBe(1);
    await expect.poll(async () => (await crowd?.report())?.heard, { timeout: 20_000 }).toBe(4);

    expect(await crowd.reconnect()).toBe(5);
    await until(crowd, ({ keyed, came }) => keyed === 5 && came.frames > seen.came.frames + 60);
    const { joins, refusals, endings, delay, keyDelay, reconnect } = await crowd.report();
    expect({ joins, refusals, endings }).toEqual({ joins: 5, refusals: {}, endings: {} });
    // Each went on with its call over another socket, and did not come anew.
    expect(reconnect.count).toBe(5);

    // Who leaves is served no longer; and where each join leaks a Consumer, that is found.
    await crowd.leave(1);
    expect(await crowd.excess(20)).toBe(0);
    leak.isPlanted = true;
    expect(await crowd.join({ room, role: 'viewer', count: 2, keys: true, watch: true })).toBe(2);
    leak.isPlanted = false;
    // One into a Pipe too, where the Room had none to that Region yet.
    expect(leak.count).toBeGreaterThanOrEqual(2);
    expect(await crowd.excess(4)).toBe(leak.count);

    expect(await crowd.rekey()).toEqual({ done: 1, rooms: 1 });
    expect((await crowd.report()).rekey.count).toBeGreaterThan(0);
    // Stamped by the publisher, forwarded by the SFU, read by the viewers.
    expect(delay.count + keyDelay.count).toBeGreaterThan(0);
  } finally {
    await crowd?.close();
    await cluster.close();
  }
});

test.runIf(isPossible).each([audience, roomMessage])('$name gives figures', async (bench) => {
  const figures = await bench.run('tiny', () => undefined);
  for (const { name, spread } of figures) {
    expect(spread.count).toBeGreaterThan(0);
    if (name === MISSING) expect(spread.median).toBe(0);
  }
});

async function until(crowd: CrowdProgram, holds: (seen: Seen) => boolean): Promise<Seen> {
  let seen = await crowd.count();
  await expect.poll(async () => holds((seen = await crowd.count())), { timeout: 40_000, interval: 200 }).toBe(true);
  return seen;
}
