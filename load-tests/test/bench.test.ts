/** The benches still run: each with tiny numbers, looked at for sense, not for speed. Those that need Go run their SFU side. */
import { afterEach, describe, expect, test } from 'vitest';
import { carrier } from '../bench/carrier.ts';
import { startChild, type Child } from '../bench/child.ts';
import { machine, pageOf, tableOf, type Bench } from '../bench/figure.ts';
import type { ForwardSubject, SubjectKind } from '../bench/forward-subject.ts';
import { joinTime } from '../bench/join-time.ts';
import { socket } from '../bench/socket.ts';
import { door } from '../bench/door.ts';
import { members } from '../bench/members.ts';
import { relay } from '../bench/relay.ts';
import { planner } from '../bench/planner.ts';
import { rekey } from '../bench/rekey.ts';
import { spreadOf } from '../bench/spread.ts';
import { store } from '../bench/store.ts';
import { transform } from '../bench/transform.ts';

test.each<Bench>([transform, carrier, socket, store, planner, relay, members, rekey, door, joinTime])(
  '$name gives figures',
  async (bench) => {
    const figures = await bench.run('tiny', () => undefined);
    expect(figures.length).toBeGreaterThan(0);
    for (const { spread } of figures) expect(spread.count).toBeGreaterThan(0);
    const page = pageOf(figures, new Map([['another', 'it is not here']]), new Date(0));
    expect(page).toContain(machine());
    expect(page).toContain('- another could not run: it is not here');
    for (const { name } of figures) {
      expect(tableOf(figures)).toContain(name);
      expect(page).toContain(name);
    }
  },
);

describe('what the forwarding bench compares', () => {
  let child: Child<ForwardSubject>;
  afterEach(() => child.close());

  test.each<SubjectKind>(['node', 'bare'])('%s lets a viewer consume the source', async (kind) => {
    child = startChild<ForwardSubject>('forward-subject.ts');
    const { port, workerPid } = await child.ask('start', { kind, ssrc: 77 });
    expect(port).toBeGreaterThan(0);
    expect(workerPid).toBeGreaterThan(0);
    const { iceCandidates } = await child.ask('open', { viewer: 0 });
    expect(iceCandidates.some(({ protocol }) => protocol === 'udp')).toBe(true);
    const { codecs } = await child.ask('consume', { viewer: 0 });
    expect(codecs[0]).toMatchObject({ mimeType: 'video/VP8' });
    await child.ask('resume', { viewer: 0 });
  });
});

test('a spread holds its samples, and has none without any', () => {
  const spread = spreadOf([5, 1, 3, 2, 4]);
  expect(spread).toMatchObject({ count: 5, min: 1, median: 3, max: 5 });
  expect(spread.p95).toBeCloseTo(4.8);
  expect(spread.medianRange).toEqual([1, 5]);
  expect(() => spreadOf([])).toThrow(RangeError);
});
