/**
 * The patched worker against the ordinary one's behaviour: with batching, without, and on kernels that make it hard. `VEILCAST_LONG=1` sends
 * a hundred million packets; MEDIASOUP_WORKER_BIN may name a build with sanitizers.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildShim, type Kernel, type Shim } from './stress/preload.ts';
import { stress, type StressOptions } from './stress/load.ts';
import { workerProgram } from '@veilcast/sfu-node';

const LONG = process.env['VEILCAST_LONG'] === '1';
const SEED = Number(process.env['VEILCAST_SEED'] ?? 8);
/** Each goes to eight destinations and now and then to a ninth. */
const PACKETS = 4_000;
const MOST = LONG ? 12_500_000 : PACKETS;

const EVERY: Pick<StressOptions, 'destinations' | 'guests'> = {
  destinations: [
    'plain',
    'plain-v6',
    'plain-small',
    'pipe',
    'pipe-srtp',
    'webrtc',
    'webrtc-server',
    'webrtc-server',
    'nobody',
  ],
  guests: ['plain', 'webrtc-server', 'pipe-srtp'],
};
/** Without WebRTC, whose handshake needs a kernel that loses nothing. */
const SOCKETS = { destinations: ['plain', 'plain-v6', 'pipe'], guests: [], patienceMs: 200 } as const;
const CLEAN = { lost: 0, repeated: 0, misplaced: 0, garbled: 0, exit: 'ended' };

let shim: Shim;
beforeAll(() => {
  shim = buildShim();
});
afterAll(() => shim.remove());

async function run(batching: boolean, kernel: Kernel, packets = PACKETS, where: typeof EVERY = EVERY) {
  const environment = { MEDIASOUP_WORKER_BATCHING: batching ? '1' : '0', ...shim.environment(kernel) };
  const result = await stress({ packets, seed: SEED, environment, ...where });
  return { result, sends: shim.counts() };
}

const { patched, path } = await workerProgram();
if (!patched) console.warn(`not compared: ${path} is the ordinary worker, which has no patches`);

describe.runIf(patched)('no packet is lost, sent twice, misplaced or changed', () => {
  test(
    'with batching, which sends several at once',
    async () => {
      const { result, sends } = await run(true, '', MOST);
      expect(result).toMatchObject(CLEAN);
      expect(result.delivered).toBeGreaterThanOrEqual(8 * MOST);
      expect(result.moves + result.visits).toBeGreaterThan(0);
      expect(sends.many).toBeGreaterThan(0);
      expect((sends.single + sends.many) / result.delivered).toBeLessThan(0.6);
    },
    LONG ? 3 * 3_600_000 : undefined,
  );

  test('without, which does not', async () => {
    const { result, sends } = await run(false, '');
    expect(result).toMatchObject(CLEAN);
    expect(sends.many).toBe(0);
    expect(sends.single).toBeGreaterThanOrEqual(result.delivered);
  });

  test.each<Kernel>(['ignorant', 'refusing'])('on a kernel that is %s of segments', async (kernel) => {
    const { result, sends } = await run(true, kernel);
    expect(result).toMatchObject(CLEAN);
    expect(sends.many).toBe(0);
    expect(sends.single).toBeGreaterThanOrEqual(result.delivered);
  });

  test.each([true, false])('where buffers are full, with batching %s', async (batching) => {
    const { result } = await run(batching, 'full');
    expect(result).toMatchObject(CLEAN);
  });
});

describe('this test notices', () => {
  test('packets that are lost', async () => {
    const { result } = await run(false, 'losing', 800, SOCKETS);
    expect(result.lost).toBeGreaterThan(0);
  });

  test('packets that come twice', async () => {
    const { result } = await run(false, 'doubling', 800, SOCKETS);
    expect(result.repeated).toBeGreaterThan(0);
  });
});
