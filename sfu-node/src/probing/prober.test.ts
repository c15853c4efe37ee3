/** What is made of probes, by laws; and two real sockets that measure each other. */
import { systemClock, systemRandom } from '@veilcast/node-kit';
import { NodeId } from '@veilcast/protocol';
import { createSocket } from 'node:dgram';
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { PROBE_BYTES, readProbe, writeProbe } from './packet.ts';
import { LOST_AFTER_MS, PathStats } from './path-stats.ts';
import { Prober } from './prober.ts';

const key = Buffer.alloc(32, 7);
const target = (nodeId: string, { end }: Pick<Prober, 'end'>) => ({ nodeId, end });

test('a probe is read under its own key and as its own kind alone', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1), fc.nat(PROBE_BYTES * 8 - 1), (seq, chance, bit) => {
      const packet = writeProbe({ kind: 'ask', seq, chance }, key);
      expect(readProbe(packet, 'ask', key)).toEqual({ kind: 'ask', seq, chance });
      expect(readProbe(packet, 'answer', key)).toBeUndefined();
      expect(readProbe(packet, 'ask', Buffer.alloc(32, 8))).toBeUndefined();
      packet[bit >> 3] ^= 1 << (bit & 7);
      expect(readProbe(packet, 'ask', key)).toBeUndefined();
    }),
  );
});

test('loss is the share of probes that did not come back in time, and the round trip the median of those that did', () => {
  const probe = fc.option(fc.integer({ min: 1, max: 2 * LOST_AFTER_MS }), { freq: 3 });
  fc.assert(
    fc.property(fc.array(probe, { minLength: 1, maxLength: 32 }), (trips) => {
      const stats = new PathStats();
      trips.forEach((trip, seq) => {
        const at = seq * 10 * LOST_AFTER_MS;
        stats.sent(seq, at);
        if (trip !== null) stats.answered(seq, at + trip);
        if (trip !== null) stats.answered(seq, at + trip);
        stats.judge(at + 5 * LOST_AFTER_MS);
      });
      const back = trips.filter((trip) => trip !== null && trip <= LOST_AFTER_MS);
      expect(stats.lossRatio).toBeCloseTo((trips.length - back.length) / trips.length);
      const last = back.slice(-8).toSorted((a, b) => (a ?? 0) - (b ?? 0));
      expect(stats.rttMs).toBe(last[Math.floor((last.length - 1) / 2)]);
    }),
  );
});

test('two Nodes measure each other, and a stranger gets no answer', async () => {
  const options = { ip: '127.0.0.1', port: 0, clock: systemClock, random: systemRandom };
  const [a, b] = await Promise.all([Prober.open(options), Prober.open(options)]);
  const stranger = createSocket('udp4');
  let answers = 0;
  stranger.on('message', () => (answers += 1));
  try {
    stranger.send(writeProbe({ kind: 'ask', seq: 1, chance: 2 }, key), b.end.port, '127.0.0.1');
    a.wanted('router', {
      targets: [target('b', b), target('gone', { end: { ...b.end, port: 9 } })],
    } as never);
    await vi.waitFor(() => expect(a.paths()).toHaveLength(1), { timeout: 15_000, interval: 50 });
    const [path] = a.paths();
    expect(path).toMatchObject({ nodeId: NodeId.parse('b'), lossRatio: 0 });
    expect(path?.rttMs).toBeGreaterThan(0);
    expect(answers).toBe(0);
    expect(() => a.wanted('router', { targets: [{ nodeId: 'b', end: { ...b.end, port: 0 } }] } as never)).toThrow();
  } finally {
    for (const one of [a, b, stranger]) one.close();
  }
}, 20_000);
