/**
 * Measures the round-trip time to every region before joining, so that the cluster can choose the nearest Node. Bounded:
 * a region that does not answer in time is left out, and a join never waits longer than `PROBE_LIMIT_MS` for this.
 */
import { RegionId, type Clock, type RegionProbe } from '@veilcast/protocol';
import { z } from 'zod';
import { firstAnswer } from './answering.ts';
import { browserClock } from './clock.ts';

/** Longer: a better choice on bad networks, but everybody's join waits for it. */
export const PROBE_LIMIT_MS = 400;
/** A person who asks wants to hear of the far ones too. */
const PEOPLE_LIMIT_MS = 5_000;
/** The first fetch pays for the connection, the smallest of three is close to the path's own time. */
const ROUNDS = 3;

/** The answer of `GET /api/regions`: where each region can be measured, at one place or several. */
const Regions = z.array(z.object({ region: RegionId, probeUrl: z.string().max(1024) })).max(64);

export interface ProbeOutside {
  readonly fetch: (url: string, init: { signal: AbortSignal; cache: 'no-store' }) => Promise<Response>;
  /** A monotonic clock, ms. */
  readonly stopwatch: () => number;
  readonly clock: Clock;
  /** For people to see: also where there is one region only, and waited for as long as they would. */
  readonly forPeople?: boolean;
}

const BROWSER: ProbeOutside = {
  fetch: (probeUrl, init) => fetch(probeUrl, init),
  stopwatch: () => performance.now(),
  clock: browserClock,
};

/** To every region that answers, for people to see; joining measures by itself. Never throws. */
export function measureRegions(url: string): Promise<RegionProbe[]> {
  return probeRegions([url], { ...BROWSER, forPeople: true });
}

/** As whichever of these processes answers says. Never throws: without figures the cluster chooses by itself. */
export async function probeRegions(urls: readonly string[], outside: ProbeOutside): Promise<RegionProbe[]> {
  const stop = new AbortController();
  const best = new Map<RegionId, number>();
  const work = measureAll(urls, outside, stop.signal, best).catch(() => undefined);
  await new Promise<void>((resolve) => {
    const cancel = outside.clock.after(outside.forPeople === true ? PEOPLE_LIMIT_MS : PROBE_LIMIT_MS, resolve);
    void work.then(() => {
      cancel();
      resolve();
    });
  });
  stop.abort();
  return [...best].map(([region, rttMs]) => ({ region, rttMs }));
}

async function measureAll(
  urls: readonly string[],
  outside: ProbeOutside,
  signal: AbortSignal,
  best: Map<RegionId, number>,
): Promise<void> {
  const { url, places } = await firstAnswer(urls, async (asked) => {
    const answer = await outside.fetch(new URL('/api/regions', asked).href, { signal, cache: 'no-store' });
    return { url: asked, places: Regions.parse(await answer.json()) };
  });
  // Nothing to choose from: do not spend anybody's time.
  if (outside.forPeople !== true && new Set(places.map(({ region }) => region)).size < 2) return;
  await Promise.allSettled(
    places.map(async ({ region, probeUrl }) => {
      for (let round = 0; round < ROUNDS; round++) {
        const from = outside.stopwatch();
        const response = await outside.fetch(new URL(probeUrl, url).href, { signal, cache: 'no-store' });
        await response.arrayBuffer();
        const rttMs = Math.round((outside.stopwatch() - from) * 10) / 10;
        best.set(region, Math.min(rttMs, best.get(region) ?? rttMs));
      }
    }),
  );
}
