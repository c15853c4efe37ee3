/**
 * What goes wrong between regions, as values: who is in the call, what happens when, and what must be so after it. `runScenario` does it
 * to the real thing.
 */
import type { Impairment } from '@veilcast/testkit/lab';

/** Two regions. */
type Pair = readonly [string, string];

export type Fault =
  /** Nothing passes from the first to the second, nor back unless it is one way. */
  | { readonly cut: Pair; readonly oneWay?: true }
  | { readonly heal: Pair }
  /** Besides their distance. */
  | { readonly impair: Pair; readonly by: Impairment }
  /** Programs of `RegionCluster.programs`. */
  | { readonly kill: string }
  | { readonly freeze: string }
  | { readonly thaw: string }
  | { readonly start: string };

export interface Expectation {
  /** Viewer and who is seen; in the end, all at once. */
  readonly sees: readonly (readonly [viewer: string, who: string])[];
  /** What must have come to a stand: the fault is real. */
  readonly blind?: readonly (readonly [viewer: string, who: string])[];
  readonly withinMs: number;
}

export interface Step {
  /** ms after what came before was as expected. */
  readonly when: number;
  readonly fault: Fault;
  readonly expect: Expectation;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Of region-rtt.csv; the first two have signaling, the first the store. */
  readonly regions: readonly string[];
  /** Who calls from where; `at` is the host of the signaling that they come to. */
  readonly people: readonly { readonly name: string; readonly region: string; readonly at: string }[];
  readonly steps: readonly Step[];
}

const US = 'us-east-1';
const EU = 'eu-central-1';
const AP = 'ap-northeast-1';

const people = [
  { name: 'Ada', region: US, at: US },
  { name: 'Bob', region: EU, at: EU },
  { name: 'Cleo', region: EU, at: EU },
];
const all: Expectation['sees'] = people.flatMap(({ name }) =>
  people.filter((other) => other.name !== name).map((other) => [name, other.name] as const),
);
const inEurope: Expectation['sees'] = [
  ['Bob', 'Cleo'],
  ['Cleo', 'Bob'],
];
const across: Expectation['sees'] = all.filter(([viewer, who]) => viewer === 'Ada' || who === 'Ada');
const three = { regions: [US, EU, AP], people };

/** Many times what a call may take to move, since browsers and cluster share the cores of one machine; the time that it took is printed. */
const BACK_MS = 60_000;

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'cut',
    title: 'two regions are cut off from each other, and the cut heals',
    ...three,
    steps: [
      { when: 1_000, fault: { cut: [US, EU] }, expect: { sees: inEurope, blind: across, withinMs: 10_000 } },
      { when: 8_000, fault: { heal: [US, EU] }, expect: { sees: all, withinMs: BACK_MS } },
    ],
  },
  {
    name: 'one-way',
    title: 'nothing comes from one region to another, only back',
    ...three,
    steps: [
      { when: 1_000, fault: { cut: [US, EU], oneWay: true }, expect: { sees: inEurope, withinMs: 10_000 } },
      { when: 8_000, fault: { heal: [US, EU] }, expect: { sees: all, withinMs: BACK_MS } },
    ],
  },
  {
    name: 'flapping',
    title: 'a path that comes and goes every few seconds',
    ...three,
    steps: [
      { when: 1_000, fault: { cut: [US, EU] }, expect: { sees: inEurope, withinMs: 10_000 } },
      { when: 1_500, fault: { heal: [US, EU] }, expect: { sees: inEurope, withinMs: 10_000 } },
      { when: 1_500, fault: { cut: [US, EU] }, expect: { sees: inEurope, withinMs: 10_000 } },
      { when: 1_500, fault: { heal: [US, EU] }, expect: { sees: all, withinMs: BACK_MS } },
    ],
  },
  {
    name: 'lossy',
    title: 'a path between regions that loses 2 % and is 150 ms longer',
    ...three,
    steps: [
      {
        when: 1_000,
        fault: { impair: [US, EU], by: { loss: 0.02, delayMs: 150 } },
        expect: { sees: all, withinMs: 10_000 },
      },
      { when: 5_000, fault: { heal: [US, EU] }, expect: { sees: all, withinMs: 10_000 } },
    ],
  },
  {
    name: 'node',
    title: 'the node of a region is killed and started again',
    ...three,
    steps: [
      { when: 1_000, fault: { kill: `sfu-node ${EU}` }, expect: { sees: all, withinMs: BACK_MS } },
      { when: 1_000, fault: { start: `sfu-node ${EU}` }, expect: { sees: all, withinMs: BACK_MS } },
    ],
  },
  {
    name: 'frozen',
    title: 'the node of a region hangs, and wakes up again',
    ...three,
    steps: [
      { when: 1_000, fault: { freeze: `sfu-node ${EU}` }, expect: { sees: all, withinMs: BACK_MS } },
      { when: 5_000, fault: { thaw: `sfu-node ${EU}` }, expect: { sees: all, withinMs: BACK_MS } },
    ],
  },
];
