import { virtualClock } from '@veilcast/testkit';
import { describe, expect, it } from 'vitest';
import { PROBE_LIMIT_MS, probeRegions } from './probe.ts';

const REGIONS = [
  { region: 'eu', probeUrl: '/probe/eu' },
  { region: 'us', probeUrl: 'https://us.example.org/probe' },
  { region: 'ap', probeUrl: '/probe/ap' },
];

/** A network where each URL answers after its own delays, in virtual time. */
function network(
  delays: Record<string, number[]>,
  regions: unknown = REGIONS,
  urls: readonly string[] = ['https://call.example.org'],
) {
  const clock = virtualClock();
  const asked: string[] = [];
  const fetch = (url: string, { signal }: { signal: AbortSignal }): Promise<Response> => {
    asked.push(url);
    if (url.startsWith('https://gone.example.org')) return Promise.reject(new TypeError('nobody listens'));
    const ms = url.endsWith('/api/regions') ? 5 : (delays[url]?.shift() ?? Number.POSITIVE_INFINITY);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      if (ms !== Number.POSITIVE_INFINITY) clock.after(ms, () => resolve(Response.json(regions)));
    });
  };
  const outside = { clock, fetch, stopwatch: () => clock.now() };
  return { clock, asked, probes: () => probeRegions(urls, outside) };
}

/** Real promises and virtual time take turns. */
async function run<T>(clock: ReturnType<typeof virtualClock>, work: Promise<T>): Promise<{ result: T; ms: number }> {
  const from = clock.now();
  const state = { done: false };
  void work.then(() => (state.done = true));
  while (!state.done) {
    await new Promise((resume) => setTimeout(resume, 0));
    if (!state.done) await clock.advance(1);
  }
  return { result: await work, ms: clock.now() - from };
}

describe('probing the regions', () => {
  it('takes the smallest of three for each', async () => {
    const { clock, asked, probes } = network({
      'https://call.example.org/probe/eu': [40, 10, 12],
      'https://us.example.org/probe': [100, 90, 95],
      'https://call.example.org/probe/ap': [30, 31, 29],
    });
    const { result } = await run(clock, probes());
    const near = Object.fromEntries(result.map(({ region, rttMs }) => [region, Math.round(rttMs / 10)]));
    expect(near).toEqual({ eu: 1, us: 9, ap: 3 });
    expect(asked).toHaveLength(10);
  });

  it('leaves out who does not answer and never takes longer than its limit', async () => {
    const { clock, probes } = network({ 'https://us.example.org/probe': [20, 20, 20] });
    const { result, ms } = await run(clock, probes());
    expect(result.map(({ region }) => region)).toEqual(['us']);
    expect(ms).toBeLessThanOrEqual(PROBE_LIMIT_MS + 5);
  });

  it('asks the next process where the first is gone, and measures as that one says', async () => {
    const urls = ['https://gone.example.org', 'https://call.example.org'];
    const delays = { 'https://call.example.org/probe/eu': [10, 10, 10] };
    const { clock, asked, probes } = network(delays, REGIONS, urls);
    const { result } = await run(clock, probes());
    expect(result.map(({ region }) => region)).toEqual(['eu']);
    expect(asked.slice(0, 2)).toEqual(urls.map((url) => `${url}/api/regions`));
  });

  it('spends no time where there is nothing to choose', async () => {
    const { clock, asked, probes } = network({}, REGIONS.slice(0, 1));
    expect((await run(clock, probes())).result).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['a list of something else', [{ region: 'EU!', probeUrl: 5 }]],
    ['nothing', null],
  ])('goes on without figures when told %s', async (_, regions) => {
    const { clock, probes } = network({}, regions);
    expect((await run(clock, probes())).result).toEqual([]);
  });
});
