/**
 * Eighteen regions with round-trip times as measured on the public internet (region-rtt.csv names its sources), and the
 * cases on which the planner is held against the exact optimum.
 */
import { readFileSync } from 'node:fs';
import type { Legs } from '../src/arborescence.ts';

/** As the planner has it (sites.ts): what each Pipe adds to the path's own delay. */
const HOP_MS = 1;
const TABLE = new URL('region-rtt.csv', import.meta.url);

/** Rough shares of the world's viewers, an assumption: what matters here is that they differ. */
const USERS: Readonly<Record<string, number>> = {
  'us-east-1': 6,
  'us-east-2': 4,
  'us-west-1': 3,
  'us-west-2': 3,
  'ca-central-1': 2,
  'sa-east-1': 9,
  'eu-west-1': 4,
  'eu-west-2': 4,
  'eu-central-1': 8,
  'eu-north-1': 3,
  'me-central-1': 5,
  'af-south-1': 7,
  'ap-south-1': 20,
  'ap-southeast-1': 10,
  'ap-southeast-2': 2,
  'ap-northeast-1': 6,
  'ap-northeast-2': 3,
  'ap-east-1': 10,
};

export interface Case {
  readonly source: string;
  readonly fanOut: number;
  readonly weights: 'equal' | 'users';
}

export const CASES: readonly Case[] = ['us-east-1', 'ap-southeast-1'].flatMap((source) =>
  (['equal', 'users'] as const).flatMap((weights) => [2, 3, 4, 6].map((fanOut) => ({ source, weights, fanOut }))),
);

const [header = '', ...rows] = readFileSync(TABLE, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
/** Names, in the order of the table. */
export const NAMES: readonly string[] = header.split(',').slice(1);
const RTT = new Map(
  rows.flatMap((row) => {
    const [from = '', ...cells] = row.split(',');
    return cells.map((cell, i) => [`${from}>${NAMES[i]}`, Number(cell)] as const);
  }),
);

/** Measured round trips, ms, `from>to`. */
export const rttMs: ReadonlyMap<string, number> = RTT;

export function weightOf(name: string, weights: Case['weights']): number {
  return weights === 'equal' ? 1 : (USERS[name] ?? 1);
}

/** The source first. */
export function legsOf({ source, fanOut, weights }: Case): Legs {
  const names = [source, ...NAMES.filter((name) => name !== source)];
  return {
    count: names.length,
    ms: (from, to) => HOP_MS + (RTT.get(`${names[from]}>${names[to]}`) ?? Number.NaN) / 2,
    weight: (vertex) => weightOf(names[vertex] ?? '', weights),
    slots: () => fanOut,
    depthMax: names.length,
  };
}
