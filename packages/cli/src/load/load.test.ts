/** What a load run says of itself, from what its generators say. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { figuresOf, judged, Samples, type Figures, type Summary } from './figures.ts';
import { heldIn } from './held.ts';
import { reportOf } from './report.ts';
import { sampleOf } from './sample.ts';
import { scenarios } from './scenario.ts';
import { quantile, Series, sum } from './series.ts';
import { namedTarget } from './target.ts';
import { judge, leftOf } from './verdict.ts';

function point(metric: string, second: number, value: number, tags: Record<string, string> = {}): string {
  const time = new Date(1_800_000_000_000 + second * 1_000).toISOString();
  return JSON.stringify({ metric, type: 'Point', data: { time, value, tags } });
}

function samplesOf(metric: string, values: readonly number[]): Samples {
  const samples = new Samples();
  for (const value of values) samples.add({ metric, at: 0, value, code: undefined });
  return samples;
}

function summaryOf(metric: string, type: 'counter' | 'gauge' | 'rate' | 'trend', ...rules: readonly string[]): Summary {
  return { metrics: { [metric]: { type, thresholds: Object.fromEntries(rules.map((rule) => [rule, { ok: true }])) } } };
}

function figure(metric: string, values: Record<string, number>): Figures {
  return { [metric]: { kind: 'trend', samples: 1, values } };
}

describe('figures', () => {
  it('are of all generators together', () => {
    const parts = [samplesOf('m', [1, 2, 3]), samplesOf('m', [4, 5, 96])];
    const of = (type: 'counter' | 'gauge' | 'rate' | 'trend') => figuresOf(summaryOf('m', type), parts).m?.values;
    expect(of('counter')).toEqual({ count: 111 });
    expect(of('gauge')).toEqual({ value: 99 });
    expect(of('rate')).toEqual({ rate: 1 });
    expect(of('trend')).toMatchObject({ min: 1, avg: 18.5, 'p(50)': 3.5, max: 96 });
  });

  it.each([
    ['trend', 'p(95)<10', [1, 2, 9], true],
    ['trend', 'p(95)<10', [1, 2, 19], false],
    ['trend', 'max<=9', [9], true],
    ['rate', 'rate>0.999', [1, 1, 0], false],
    ['counter', 'count==0', [], true],
    ['counter', 'count==0', [2], false],
    // What was not measured proves nothing.
    ['trend', 'p(95)<10', [], false],
    ['rate', 'rate<1', [], false],
  ] as const)('%s %s of %j: %s', (type, rule, values, ok) => {
    const summary = summaryOf('m', type, rule);
    expect(judged(summary, figuresOf(summary, [samplesOf('m', values)]))).toEqual([{ metric: 'm', rule, ok }]);
  });

  it('have no rule that is not understood', () => {
    const summary = summaryOf('m', 'trend', 'p(95) is small');
    expect(() => judged(summary, figuresOf(summary, [samplesOf('m', [1])]))).toThrow(/no threshold/);
  });
});

describe('a verdict', () => {
  const good = { metric: 'veilcast_join', rule: 'p(95)<3000', ok: true };

  it('is held only where every threshold is, and nothing was left behind', () => {
    expect(judge([good], [{}])).toMatchObject({ outcome: 'held', why: [] });
    expect(judge([good, { ...good, ok: false }], [{}]).outcome).toBe('missed');
    expect(judge([good], [{}], { left: ['1 Consumers'] }).outcome).toBe('missed');
  });

  it('is void where a generator was the bottleneck, also among others, whatever the thresholds', () => {
    for (const busy of [
      figure('veilcast_generator_cpu_percent', { 'p(95)': 71 }),
      figure('veilcast_generator_late', { 'p(95)': 51 }),
      figure('veilcast_frames_late', { count: 11 }),
    ]) {
      const verdict = judge([good], [{}, busy]);
      expect(verdict.outcome).toBe('void');
      expect(verdict.why).toEqual([expect.stringMatching(/^generator 2: /)]);
    }
    expect(judge([good], [figure('veilcast_generator_cpu_percent', { 'p(95)': 69 })]).outcome).toBe('held');
  });
});

/** As Prometheus has it. */
function text(consumers: number): string {
  return (
    `# HELP veilcast_node_consumers Consumers\nveilcast_node_consumers{node="eu-1"} ${consumers}\n` +
    'veilcast_node_consumers{node="us-1"} 2\nveilcast_signaling_rooms 1\nveilcast_node_cpu_cores{node="eu-1"} 0.25\n'
  );
}

describe('what a cluster holds', () => {
  it('is summed over Nodes, and what there is more of was left behind', () => {
    expect(heldIn(text(3))).toEqual({ Consumers: 5, Rooms: 1 });
    expect(leftOf(heldIn(text(3)), heldIn(text(4)))).toEqual(['1 Consumers']);
    expect(leftOf(heldIn(text(3)), heldIn(text(2)))).toEqual([]);
  });
});

describe('a series', () => {
  it('has one value a second of each metric of ours, people of all generators, and counts by code', () => {
    const series = new Series();
    const add = (line: string, generator = 0): void => {
      const sample = sampleOf(line);
      if (sample) series.add(sample, generator);
    };
    for (const [second, value] of [
      [0, 1],
      [0, 2],
      [2, 9],
    ] as const)
      add(point('veilcast_packets', second, value));
    for (const line of [point('iterations', 0, 1), 'no sample', '{"metric": cut "Point" veilcast_ short']) add(line);
    add(point('veilcast_peers', 0, 5));
    add(point('veilcast_peers', 1, 7), 1);
    add(point('veilcast_join_ok', 1, 0, { code: 'ROOM_FULL' }));
    add(point('veilcast_join_ok', 1, 1));
    expect(series.each('veilcast_packets', sum)).toEqual([3, undefined, 9]);
    expect(series.last('veilcast_packets', quantile(0.5))).toBe(9);
    expect(series.people()).toEqual([5, 12]);
    expect(series.each('iterations', sum)).toEqual([]);
    expect([...series.codes]).toEqual([['ROOM_FULL', 1]]);
  });
});

describe('a report', () => {
  it('shows verdict, thresholds and plots, and lets nothing of a name be markup', () => {
    const series = new Series();
    for (let second = 0; second < 5; second++)
      series.add({ metric: 'veilcast_delay', at: second * 1_000, value: second, code: undefined });
    const summary = summaryOf('veilcast_delay', 'trend', 'p(95)<3000');
    const figures = figuresOf(summary, [samplesOf('veilcast_delay', [0, 1, 2, 3, 4])]);
    const run = { name: '<b>', size: 'tiny', at: 'now', machine: 'm', target: 't', seconds: 5, generators: 1 };
    const html = reportOf(run, figures, judge(judged(summary, figures), [figures]), series);
    expect(html).toContain('&lt;b&gt; <span class="held">held</span>');
    expect(html).toContain('p(95)&lt;3000');
    expect(html).not.toContain('<b>&');
    expect(html.match(/<path class="line/g)).toHaveLength(3);
  });
});

const key = { id: 'k', secret: 's' };

function at(url: string, confirmed?: string): ReturnType<typeof namedTarget> {
  return namedTarget(url, { key, confirmed, token: 'token-of-this-test' });
}

describe('a target', () => {
  let shown: string | undefined = 'token-of-this-test';
  const server = createServer((_request, response) =>
    response.writeHead(shown === undefined ? 404 : 200).end(JSON.stringify({ token: shown })),
  );
  let here: string;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    here = `http://localhost:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it('away from this machine must be confirmed by its name, and known by a key', async () => {
    await expect(at('https://call.example.org')).rejects.toThrow(/--confirm call.example.org/);
    await expect(at('https://call.example.org', 'call.example.com')).rejects.toThrow(/--confirm call.example.org/);
    await expect(
      namedTarget('https://call.example.org', { key: undefined, confirmed: 'call.example.org', token: 'x' }),
    ).rejects.toThrow(/API key/);
    await expect(at('call.example.org')).rejects.toThrow(/no URL/);
    await expect(at('ftp://localhost')).rejects.toThrow(/no URL/);
  });

  it('shows the token of the test, or nothing is sent to it', async () => {
    const wanting = (token: string | undefined) =>
      namedTarget(`${here}/r/x`, { key: undefined, confirmed: undefined, token });
    expect((await wanting('token-of-this-test')).origin).toBe(here);
    await expect(wanting('token-of-another')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(wanting(undefined)).rejects.toThrow(/--token/);
    shown = undefined;
    await expect(wanting('token-of-this-test')).rejects.toThrow(/does not show the token/);
  });
});

describe('scenarios', () => {
  it('say what they are, and have thresholds', async () => {
    const all = await scenarios();
    expect(all.length).toBeGreaterThan(10);
    for (const { title } of all) expect(title).toMatch(/^[A-Z].{20,}\.$/);
  });
});
