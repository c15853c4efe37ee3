/** What a load run says of itself, from what k6 says. */
import { describe, expect, it } from 'vitest';
import { reportOf } from './report.ts';
import { quantile, Series, sum } from './series.ts';
import { namedTarget } from './target.ts';
import { judge, type Summary } from './verdict.ts';

function metric(values: Record<string, number>, thresholds?: Record<string, { ok: boolean }>) {
  return { type: 'trend', contains: 'time', values, ...(thresholds ? { thresholds } : {}) };
}

const held: Summary = { metrics: { veilcast_join: metric({ 'p(95)': 80 }, { 'p(95)<3000': { ok: true } }) } };

function point(metric: string, second: number, value: number, tags: Record<string, string> = {}): string {
  const time = new Date(1_800_000_000_000 + second * 1_000).toISOString();
  return JSON.stringify({ metric, type: 'Point', data: { time, value, tags } });
}

describe('a verdict', () => {
  it('is held only where every threshold is', () => {
    expect(judge(held)).toMatchObject({ outcome: 'held', why: [] });
    const missed = { metrics: { ...held.metrics, veilcast_delay: metric({}, { 'p(99)<5': { ok: false } }) } };
    expect(judge(missed).outcome).toBe('missed');
  });

  it('is void where the generator was the bottleneck, whatever the thresholds', () => {
    for (const [name, values] of [
      ['veilcast_generator_cpu_percent', { 'p(95)': 71 }],
      ['veilcast_generator_late', { 'p(95)': 51 }],
      ['veilcast_frames_late', { count: 11 }],
    ] as const) {
      const verdict = judge({ metrics: { ...held.metrics, [name]: metric(values) } });
      expect(verdict.outcome).toBe('void');
      expect(verdict.why).toHaveLength(1);
    }
  });
});

describe('a series', () => {
  it('has one value a second of each metric of ours, and counts by code', () => {
    const series = new Series();
    for (const [second, value] of [
      [0, 1],
      [0, 2],
      [2, 9],
    ] as const)
      series.add(point('veilcast_packets', second, value));
    series.add(point('iterations', 0, 1));
    series.add('no sample');
    series.add('{"metric": cut short');
    series.add(point('veilcast_join_ok', 1, 0, { code: 'ROOM_FULL' }));
    series.add(point('veilcast_join_ok', 1, 1));
    expect(series.each('veilcast_packets', sum)).toEqual([3, undefined, 9]);
    expect(series.last('veilcast_packets', quantile(0.5))).toBe(9);
    expect(series.each('iterations', sum)).toEqual([]);
    expect([...series.codes]).toEqual([['ROOM_FULL', 1]]);
  });
});

describe('a report', () => {
  it('shows verdict, thresholds and plots, and lets nothing of a name be markup', () => {
    const series = new Series();
    for (let second = 0; second < 5; second++) series.add(point('veilcast_delay', second, second));
    const run = { name: '<b>', size: 'tiny', at: 'now', machine: 'm', target: 't', seconds: 5 };
    const html = reportOf(run, held, judge(held), series);
    expect(html).toContain('&lt;b&gt; <span class="held">held</span>');
    expect(html).toContain('p(95)&lt;3000');
    expect(html).not.toContain('<b>');
    expect(html.match(/<polyline/g)).toHaveLength(3);
  });
});

describe('a target', () => {
  it('away from this machine must be confirmed by its name, and known by a key', () => {
    const key = { id: 'k', secret: 's' };
    expect(namedTarget('http://localhost:7800/r/x', undefined, undefined).origin).toBe('http://localhost:7800');
    expect(() => namedTarget('https://call.example.org', key, undefined)).toThrow(/--confirm call.example.org/);
    expect(() => namedTarget('https://call.example.org', undefined, 'call.example.org')).toThrow(/API key/);
    expect(() => namedTarget('call.example.org', key, undefined)).toThrow(/no URL/);
    expect(namedTarget('https://call.example.org', key, 'call.example.org').key).toBe(key);
  });
});
