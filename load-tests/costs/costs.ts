/**
 * What one thing costs on one machine: the file that `load-tests/costs` writes, as checked values, and the newest one that is checked in.
 * The simulator and the sizing guide read it; pure code is handed the numbers (ADR 0039).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** Every cost by name: its unit, and what it is the cost of. */
export const COSTS = {
  packet: ['µs CPU', 'a packet forwarded to one viewer, cluster node, worker and process, some viewers'],
  packetBare: ['µs CPU', 'the same, bare mediasoup'],
  packetSingly: ['µs CPU', 'the same, cluster node whose media worker sends each packet by itself: batching off'],
  packetBusy: ['µs CPU', 'a packet forwarded to one viewer by a media worker with 150 of them'],
  pipeSend: ['µs CPU', 'a packet sent into one Pipe'],
  pipeReceive: ['µs CPU', 'a packet received from a Pipe'],
  pipeHop: ['ms', 'delay that a Pipe adds to the way of a packet'],
  join: [
    'ms CPU',
    'a join in signaling, cascade-router and node: handshake, admission, transports, a turn in the group',
  ],
  joinWorker: ['ms CPU', 'a join in the media worker'],
  joinWall: ['ms', 'a join as the one who joins sees it, on one machine without a network'],
  socket: ['KiB', 'resident memory of a joined socket'],
  message: ['µs CPU', 'a Room-wide message, for each socket that gets it'],
  commitMade: ['ms CPU', 'a Commit made that removes one of 64'],
  commitTaken: ['ms CPU', 'that Commit taken by another member'],
  commitMadeMid: ['ms CPU', 'a Commit made that removes one of 16'],
  commitTakenMid: ['ms CPU', 'that Commit taken by another member'],
  externalMade: ['ms CPU', 'an external Commit made: a join of a group of 63'],
  externalTaken: ['ms CPU', 'that Commit taken by a member'],
  proposal: ['ms CPU', 'one Proposal (Remove) more in a Commit of 64'],
  keySealed: ['ms CPU', 'a key for the level below sealed as an application message, of 64'],
  keyOpened: ['ms CPU', 'that message opened'],
  plan1k: ['ms CPU', 'a Plan over 1,000 Workers from nothing'],
  plan10k: ['ms CPU', 'a Plan over 10,000 Workers from nothing'],
  replan10k: ['ms CPU', 'a Plan over 10,000 Workers after one of them died'],
  place10k: ['ms CPU', 'one placement of a Peer among 10,000 Workers'],
} as const satisfies Readonly<Record<string, readonly [unit: string, what: string]>>;

export type CostName = keyof typeof COSTS;
/**
 * What may be missing. `packetBusy` takes more of a machine than every one has free: `packet` stands for it then, which is too much. Nobody
 * sizes a cluster by `packetSingly`: it says what batching is worth.
 */
const OPTIONAL: ReadonlySet<string> = new Set<CostName>(['packetBusy', 'packetSingly']);
type Optional = 'packetBusy' | 'packetSingly';

const figure = z.number().nonnegative().finite();

export const Cost = z.strictObject({
  unit: z.string().max(32),
  median: figure,
  /** Where the true median lies, 19 times of 20. */
  low: figure,
  high: figure,
  min: figure,
  p95: figure,
  max: figure,
  samples: z.number().int().positive(),
  how: z.literal('measured'),
  /** From what. */
  from: z.string().max(400),
  at: z.iso.datetime(),
  /** Load average over a minute, before and after. */
  load: z.tuple([figure, figure]),
});
export type Cost = z.infer<typeof Cost>;

export const CostsFile = z.strictObject({
  version: z.literal(1),
  machine: z.string().max(200),
  costs: z.partialRecord(z.enum(Object.keys(COSTS) as [CostName, ...CostName[]]), Cost),
});
export type CostsFile = z.infer<typeof CostsFile>;

/** A file in which nothing is missing that is needed. */
export interface UnitCosts {
  /** `2026-11-22`. */
  readonly date: string;
  readonly machine: string;
  readonly costs: Readonly<Record<Exclude<CostName, Optional>, Cost> & Partial<Record<Optional, Cost>>>;
}

export const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const DATED = /^(\d{4}-\d{2}-\d{2})\.json$/;

/** @throws Error when there is none, or the newest one lacks a cost or is not well made */
export function newestCosts(folder = FOLDER): UnitCosts {
  const dates = readdirSync(folder).flatMap((file) => DATED.exec(file)?.[1] ?? []);
  const date = dates.sort().at(-1);
  if (date === undefined) throw new Error(`No unit costs in ${folder}: run node load-tests/costs/main.ts`);
  const { machine, costs } = CostsFile.parse(JSON.parse(readFileSync(`${folder}/${date}.json`, 'utf8')));
  const missing = Object.keys(COSTS).filter((name) => !OPTIONAL.has(name) && costs[name as CostName] === undefined);
  if (missing.length > 0)
    throw new Error(`Unit costs of ${date} lack ${missing.join(', ')}: run node load-tests/costs/main.ts`);
  return { date, machine, costs: costs as UnitCosts['costs'] };
}
