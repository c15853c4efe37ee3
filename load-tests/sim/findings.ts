/** The end of a simulation as one value: what is needed at the peak, and what would not hold. */
import type { RegionId } from '@veilcast/protocol';
import { levelsOf, rekey } from './keys.ts';
import { needsOf } from './needs.ts';
import type { Found, Link, RegionFound } from './result.ts';
import { rateOf } from './scenario.ts';
import type { Simulation } from './simulation.ts';
import { limitsOf } from './limits.ts';
import { rounded } from './histogram.ts';

export function foundOf(simulation: Simulation, complete: boolean): Found {
  const { options, scenario, model, fleet, cascade, random, regions, samples, joining } = simulation;
  const byRegion = new Map(regions.map((region) => [region, fleet.seatsOf(region).taken]));
  const drawn = simulation.people.exact ? Number.POSITIVE_INFINITY : undefined;
  const kick = rekey(model, scenario, byRegion, random.fork(), drawn);
  const leave = rekey(model, scenario, byRegion, random.fork(), drawn, scenario.keys.leaveWindowMs);
  const { frames, keyFrames } = simulation.delays();
  const links = linksOf(simulation);
  const peak = samples.reduce((most, sample) => (sample.viewers > most.viewers ? sample : most), samples[0]!);
  const nodes = Math.max(...samples.map((sample) => sample.nodes));
  const busy = Math.max(...samples.map(({ coresBusy }) => coresBusy));
  const between = links.reduce((sum, link) => sum + (link.from === link.to ? 0 : link.pipes), 0);
  const needs = needsOf(model, scenario, {
    viewers: peak.viewers,
    nodes,
    mediaCoresBusy: busy,
    joinsPerS: Math.max(...samples.map(({ joinsPerS }) => joinsPerS)),
    betweenRegions: between,
    keyDeliveries: levelsOf(peak.viewers, scenario.keys).leaves + peak.viewers,
  });
  const fanOuts = [...cascade.pipesOut.values()];
  const depths: Record<string, number> = {};
  for (const { depth } of cascade.reach.values()) depths[depth] = (depths[depth] ?? 0) + 1;
  const found: Omit<Found, 'limits'> = {
    scenario: options.name,
    title: scenario.title,
    viewers: scenario.viewers,
    mode: options.exact ? 'exact' : 'cohorts',
    seed: options.seed,
    costsOf: options.costsOf,
    complete,
    minutes: rounded(simulation.agenda.now / 60_000),
    capacity: simulation.capacity,
    needs,
    frames: frames.quantiles(),
    keyFrames: keyFrames.quantiles(),
    frameCurve: frames.curve(),
    keyFrameCurve: keyFrames.curve(),
    joins: joining.all.quantiles(),
    kick,
    leave,
    tree: {
      depths,
      fanOutMax: Math.max(0, ...fanOuts),
      fanOutMean: rounded(fanOuts.reduce((sum, out) => sum + out, 0) / Math.max(1, fanOuts.length)),
      pipes: cascade.plan?.pipes.length ?? 0,
      plans: simulation.plans,
      restructures: simulation.restructures,
    },
    regions: regions.map((region) => regionOf(simulation, region)),
    links,
    happened: simulation.happened.toSorted((a, b) => a.at - b.at),
    samples,
  };
  return { ...found, limits: limitsOf(found, scenario, model, rateOf(scenario).packets) };
}

function regionOf({ fleet, cascade, lost }: Simulation, region: RegionId): RegionFound {
  const seated = [...(fleet.seated.get(region) ?? [])];
  const ways = seated.flatMap(({ workerId, viewers }) => {
    const reach = cascade.reach.get(workerId);
    return reach ? [[reach.wayMs * viewers, viewers] as const] : [];
  });
  const viewers = ways.reduce((sum, [, count]) => sum + count, 0);
  return {
    region,
    viewers: fleet.seatsOf(region).taken,
    nodes: fleet.nodes.filter((node) => node.region === region && node.state !== 'gone').length,
    workers: seated.length,
    lost: lost.has(region),
    wayMs: viewers > 0 ? rounded(ways.reduce((sum, [ms]) => sum + ms, 0) / viewers) : 0,
  };
}

/** Pipes from Region to Region; those inside of one too. */
function linksOf({ fleet, cascade }: Simulation): Link[] {
  const regionOf = new Map(fleet.workers.map(({ workerId, region }) => [workerId, region]));
  const links = new Map<string, Link>();
  for (const { from, to } of cascade.plan?.pipes ?? []) {
    const [a, b] = [regionOf.get(from), regionOf.get(to)];
    if (!a || !b) continue;
    const key = `${a}>${b}`;
    links.set(key, { from: a, to: b, pipes: (links.get(key)?.pipes ?? 0) + 1 });
  }
  return [...links.values()];
}
