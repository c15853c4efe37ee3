/** The HTML report of a simulation: one file that needs nothing else. What is measured, simulated and assumed is marked so. */
import { COSTS, type CostName, type UnitCosts } from '../../costs/costs.ts';
import type { Comparison } from '../comparison.ts';
import type { Quantiles } from '../histogram.ts';
import { JOIN_TRIPS } from '../joining.ts';
import { REKEY_GOAL_MS } from '../limits.ts';
import { PUBLISHER_MS } from '../media-delay.ts';
import type { Found, Sample } from '../result.ts';
import { clock, escaped, plot, short, styles, table } from '@veilcast/cli/report';
import { rateOf, type Scenario } from '../scenario.ts';
import { worldMap } from './map.ts';

export interface Ran {
  readonly at: string;
  readonly machine: string;
  readonly seconds: number;
  /** The most that this process held, MiB. */
  readonly peakMiB: number;
}

const INCIDENTS: Readonly<Record<string, string>> = {
  flashCrowd: 'flash crowd',
  regionLoss: 'loss of a Region',
  rollingUpgrade: 'rolling upgrade',
  hostKick: 'host throws somebody out',
};

export function pageOf(
  found: Found,
  scenario: Scenario,
  ran: Ran,
  costs: UnitCosts,
  comparison: Comparison | undefined,
): string {
  const title = `${found.scenario}: ${found.title}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${styles()}</style></head><body><main>
<h1>${escaped(found.title)}</h1>
<p class="quiet">Scenario ${escaped(found.scenario)}, ${short(found.viewers)} viewers, ${found.mode}, seed ${found.seed}. Run on ${escaped(ran.machine)}, ${escaped(ran.at)}: ${short(ran.seconds)} s, ${short(ran.peakMiB)} MiB. All figures are <span class="mark">simulated</span> from unit costs <span class="mark">measured</span> on ${escaped(found.costsOf)} unless they say otherwise.</p>
${found.complete ? '' : `<p class="warn">Stopped at ${short(found.minutes)} of ${short(scenario.minutes)} minutes: what is here is of the time until then.</p>`}
${cards(found)}
<h2>Where people are</h2>${worldMap(found.regions, found.links, scenario.origin)}
<h2>Over time</h2><div class="plots">${overTime(found.samples)}</div>
<h2>How late</h2><div class="plots">${delays(found)}</div>
${table(
  ['ms', 'mean', 'p50', 'p95', 'p99', 'most'],
  [
    of('frame, camera to screen without codecs and jitter buffer', found.frames),
    of('key frame, the same', found.keyFrames),
    of('join, from the click to the first packet', found.joins),
    of('new key after somebody was thrown out (simulated model of the levels)', found.kick.all),
    of('… of these, the leaf that lost somebody', found.kick.affected),
    of('new key after somebody left (simulated model of the levels)', found.leave.all),
  ],
)}
<h2>What happened</h2>
${table(
  ['at', 'what', '', 'p50', 'p95', 'most, ms'],
  found.happened.map(({ at, kind, what, ms }) => [
    clock(at),
    INCIDENTS[kind] ?? kind,
    what,
    ...(ms ? [short(ms.p50), short(ms.p95), short(ms.max)] : ['', '', '']),
  ]),
)}
<h2>What would not hold</h2><ul>${found.limits.map((limit) => `<li>${escaped(limit)}</li>`).join('')}</ul>
<h2>The tree</h2>
<p>${short(found.tree.pipes)} Pipes; ${short(found.tree.fanOutMean)} out of a Router that has any, ${found.tree.fanOutMax} at most. Planned ${short(found.tree.plans)} times by the project's planner, laid anew ${short(found.tree.restructures)} times because trees had become too long. Workers by their distance from the publisher: ${escaped(
    Object.entries(found.tree.depths)
      .map(([depth, count]) => `${depth}: ${short(count)}`)
      .join(', '),
  )}.</p>
<h2>Regions</h2>
${table(
  ['Region', 'viewers', 'Nodes', 'Workers in use', 'ms from the publisher’s'],
  found.regions.map((one) => [
    one.lost ? `${one.region} (lost)` : one.region,
    short(one.viewers),
    short(one.nodes),
    short(one.workers),
    short(one.wayMs),
  ]),
)}
<h2>How far the simulation is from this machine</h2>${errors(comparison)}
<h2>What it rests on</h2>${assumptions(found, scenario)}
${table(['unit cost', 'median', 'min – max', 'samples', 'load', 'how', 'from what'], costRows(costs))}
</main></body></html>
`;
}

function cards({ needs, frames, kick, viewers, capacity }: Found): string {
  const all: [string, string][] = [
    [short(viewers), 'viewers'],
    [short(needs.nodes), `Nodes at the peak, ${short(needs.mediaCores)} cores`],
    [short(needs.mediaCoresBusy), 'cores that media keeps busy'],
    [
      short(needs.signalingProcesses),
      `signaling processes, ${short(needs.signalingCoresBusy)} cores busy, ${short(needs.signalingGiB)} GiB`,
    ],
    [`${short(needs.egressGbps)} Gb/s`, `egress; ${short(needs.betweenRegionsGbps)} between Regions`],
    [`${needs.currency}${short(needs.costPerHour)}`, 'an hour, at assumed prices'],
    [`${short(frames.p50)} / ${short(frames.p99)} ms`, 'a frame’s delay, p50 / p99'],
    [`${short(kick.all.p95)} ms`, `new key p95 (goal ${REKEY_GOAL_MS})`],
    [short(capacity.workerSeats), `viewers a Worker, bounded by ${capacity.bound}`],
  ];
  return `<div class="cards">${all.map(([value, name]) => `<div class="card"><b>${escaped(value)}</b><span>${escaped(name)}</span></div>`).join('')}</div>`;
}

function overTime(samples: readonly Sample[]): string {
  const of = (label: string, pick: (sample: Sample) => number) => ({
    label,
    points: samples.map((sample) => [sample.at, pick(sample)] as const),
  });
  const time = { x: 'minutes', xText: clock };
  return [
    plot({
      ...time,
      title: 'People',
      unit: 'viewers',
      lines: [of('with a seat', (s) => s.viewers), of('waiting', (s) => s.waiting)],
    }),
    plot({ ...time, title: 'Joins', unit: 'a second', lines: [of('joins', (s) => s.joinsPerS)] }),
    plot({ ...time, title: 'Machines', unit: 'count', lines: [of('Nodes', (s) => s.nodes)] }),
    plot({
      ...time,
      title: 'Cores',
      unit: 'count',
      lines: [of('Workers in use', (s) => s.workers), of('busy with media', (s) => s.coresBusy)],
    }),
    plot({ ...time, title: 'Egress', unit: 'Gb/s', lines: [of('egress', (s) => s.egressGbps)] }),
    plot({
      ...time,
      title: 'Delay of a frame',
      unit: 'ms',
      lines: [of('p50', (s) => s.frameP50), of('p99', (s) => s.frameP99), of('key frame p99', (s) => s.keyFrameP99)],
    }),
  ].join('\n');
}

function delays({ frameCurve, keyFrameCurve, kick, leave }: Found): string {
  return [
    plot({
      title: 'A frame is there',
      unit: '% of viewers',
      x: 'ms after it was encoded',
      lines: [
        { label: 'frame', points: percent(frameCurve) },
        { label: 'key frame', points: percent(keyFrameCurve) },
      ],
    }),
    plot({
      title: 'The new key is there (simulated model of the levels)',
      unit: '% of viewers',
      x: 'ms after the removal',
      lines: [
        { label: 'thrown out', points: percent(kick.curve) },
        { label: 'left', points: percent(leave.curve) },
      ],
      goal: { on: 'x', at: REKEY_GOAL_MS, label: `goal ${REKEY_GOAL_MS} ms p95` },
    }),
  ].join('\n');
}

function of(name: string, { mean, p50, p95, p99, max }: Quantiles): string[] {
  return [name, ...[mean, p50, p95, p99, max].map(short)];
}

function errors(comparison: Comparison | undefined): string {
  if (!comparison)
    return '<p class="warn">Nothing was run both ways on this machine yet: <code>./veilcast sim here --keep</code>.</p>';
  const { at, machine, load, rows, what } = comparison;
  return `<p>The scenario <i>here</i>, simulated and really run, ${escaped(at)}, on ${escaped(machine)} with a load of ${load[0]} to ${load[1]}: ${escaped(what)}. The same errors, at least, are in all that stands above.</p>
${table(
  ['figure', 'simulated', 'measured', 'error'],
  rows.map(({ figure, unit, simulated, measured, errorPercent }) => [
    figure,
    `${short(simulated)} ${unit}`,
    `${short(measured)} ${unit}`,
    `${errorPercent > 0 ? '+' : ''}${short(errorPercent)} %`,
  ]),
)}`;
}

function assumptions({ costsOf }: Found, scenario: Scenario): string {
  const { packets, bits } = rateOf(scenario);
  const { fleet, keys, prices, access, devices, policy } = scenario;
  const all: [string, string][] = [
    [
      'simulated',
      'Placement, Plans, their differences, the Room and the delivery service are the project’s own code under a virtual clock. The three levels of groups are a model: the product has one.',
    ],
    ['measured', `Unit costs of ${costsOf}, medians; a packet’s cost between the two loads at which it was measured.`],
    [
      'measured',
      'Round trips between Regions: AWS, p50 of a year, cloudping.co, captured 2025-05-29 (packages/topology/optimum/region-rtt.csv).',
    ],
    [
      'extrapolated',
      'Workers of a Node scale linearly; nothing is lost; no jitter; signaling shards by Region, and so does placement.',
    ],
    [
      'assumed',
      `A viewer gets ${short(packets)} packets a second, ${short(bits / 1e6)} Mb/s. Key frames of ${scenario.video.keyFrame} packets may take ${policy.keyFrameMs} ms through a Worker; a Worker uses at most ${100 * policy.cpuMax} % of a core.`,
    ],
    [
      'assumed',
      `Nodes have ${fleet.workersPerNode} cores and ${fleet.nodeGbps} Gb/s, boot in ${fleet.bootSeconds} s; ${short(100 * fleet.spare)} % of seats are kept free.`,
    ],
    [
      'assumed',
      `Access networks, one way, log-normal: ${access.map(({ network, share, medianMs }) => `${network} ${short(100 * share)} % ${medianMs} ms`).join(', ')}. The host has ${PUBLISHER_MS} ms.`,
    ],
    [
      'assumed',
      `Devices are ${devices.map(({ share, factor }) => `${short(100 * share)} %: ${factor}`).join(', ')} times slower than this machine. ${short(keys.socketsPerProcess)} sockets a signaling process. A join takes ${JOIN_TRIPS} round trips.`,
    ],
    [
      'assumed',
      `Prices: ${prices.currency}${prices.nodeHour} a Node and hour, ${prices.currency}${prices.egressGB} a GB out.`,
    ],
  ];
  return `<ul>${all.map(([mark, text]) => `<li><span class="mark">${mark}</span> ${escaped(text)}</li>`).join('')}</ul>`;
}

function costRows({ costs }: UnitCosts): string[][] {
  return (Object.keys(COSTS) as CostName[]).map((name) => {
    const cost = costs[name];
    if (!cost) return [COSTS[name][1], 'not measured', '', '', '', '', 'the one with some viewers stands for it'];
    const { unit, median, min, max, samples, load, how, from } = cost;
    const range = `${short(min)} – ${short(max)}`;
    return [COSTS[name][1], `${short(median)} ${unit}`, range, String(samples), `${load[0]} – ${load[1]}`, how, from];
  });
}

function percent(curve: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  return curve.map(([ms, share]) => [ms, 100 * share] as const);
}
