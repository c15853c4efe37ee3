/** A scenario: who watches whom from where, what happens to them, and what is assumed. Data; files in scenarios/ are checked by this. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ClusterError } from '@veilcast/protocol';
import { z } from 'zod';
import { REGIONS } from './regions.ts';

const FOLDER = fileURLToPath(new URL('scenarios/', import.meta.url));
const region = z.enum([...REGIONS] as string[] as [string, ...string[]]);
const minute = z.number().min(0).max(1_440);
const share = z.number().min(0).max(1);

const Stream = z.strictObject({
  /** Packets a second, and bytes of each on the wire (IP, UDP, SRTP and payload). */
  perSecond: z.number().positive().max(10_000),
  bytes: z.number().int().min(40).max(1_500),
  /** Packets of a frame and of a key frame; a sound has one. */
  frame: z.number().int().min(1).max(1_000),
  keyFrame: z.number().int().min(1).max(10_000),
});

const Incident = z.discriminatedUnion('kind', [
  /** That many more come within so many seconds. */
  z.strictObject({
    kind: z.literal('flashCrowd'),
    at: minute,
    viewers: z.number().int().positive(),
    seconds: z.number().int().positive(),
  }),
  /** All Nodes and signaling of a Region vanish silently, and stay away. */
  z.strictObject({ kind: z.literal('regionLoss'), at: minute, region }),
  /** Every Node is drained and replaced, so large a share of each Region's a minute. */
  z.strictObject({ kind: z.literal('rollingUpgrade'), at: minute, sharePerMinute: share }),
  z.strictObject({ kind: z.literal('hostKick'), at: minute }),
]);

export const Scenario = z.strictObject({
  title: z.string().max(120),
  viewers: z.number().int().min(1).max(5_000_000),
  minutes: z.number().positive().max(1_440),
  /** How long the first of them take to come. */
  rampMinutes: z.number().positive().max(1_440),
  /** Share of the viewers who leave in a minute; as many come. */
  churnPerMinute: share,
  /** Where the host and the speakers are. */
  origin: region,
  speakers: z.number().int().min(0).max(20),
  /** How many of the world's viewers are in a Region, relative to each other. */
  audience: z.partialRecord(region, z.number().positive()),
  video: Stream,
  audio: Stream,
  incidents: z.array(Incident).max(32),
  fleet: z.strictObject({
    workersPerNode: z.number().int().min(1).max(256),
    nodeGbps: z.number().positive(),
    /** From the order of a Node until it takes people. */
    bootSeconds: z.number().min(0),
    /** Seats kept free in each Region, of those taken. */
    spare: share,
  }),
  policy: z.strictObject({
    fanOutMax: z.number().int().min(2).max(256),
    depthMax: z.number().int().min(1).max(16),
    /** Longest time that a key frame may take through a Worker, ms: bounds its viewers of one stream. */
    keyFrameMs: z.number().positive(),
    /** Share of a core that a Worker may use. */
    cpuMax: share,
  }),
  keys: z.strictObject({
    leafSeats: z.number().int().min(2).max(98),
    midSeats: z.number().int().min(2).max(254),
    /** Sockets of one signaling process. */
    socketsPerProcess: z.number().int().positive(),
    /** How long a leave waits for others before the keys change. */
    leaveWindowMs: z.number().min(0),
  }),
  /** One-way delay between a device and the nearest Region, by access network: log-normal. */
  access: z
    .array(
      z.strictObject({ network: z.string().max(40), share, medianMs: z.number().positive(), sigma: z.number().min(0) }),
    )
    .min(1),
  /** How much slower than the measured machine devices are. */
  devices: z.array(z.strictObject({ share, factor: z.number().positive() })).min(1),
  prices: z.strictObject({ currency: z.string().max(8), nodeHour: z.number().min(0), egressGB: z.number().min(0) }),
});
export type Scenario = z.infer<typeof Scenario>;
export type Stream = z.infer<typeof Stream>;
export type Incident = z.infer<typeof Incident>;
/** The incident of one kind. */
export type IncidentOf<K extends Incident['kind']> = Extract<Incident, { kind: K }>;

export function scenarioNames(): string[] {
  return readdirSync(FOLDER).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []));
}

/** @throws ClusterError NOT_FOUND */
export function scenarioOf(name: string, viewers?: number): Scenario {
  if (!scenarioNames().includes(name)) {
    throw new ClusterError('NOT_FOUND', `No such scenario: ${name}. There are: ${scenarioNames().join(', ')}`);
  }
  const written = Scenario.parse(JSON.parse(readFileSync(`${FOLDER}${name}.json`, 'utf8')));
  return viewers === undefined ? written : ofSize(written, viewers);
}

/** The same shape with another number of people; a flash crowd keeps its proportion. */
function ofSize(scenario: Scenario, viewers: number): Scenario {
  const incidents = scenario.incidents.map((incident) =>
    incident.kind === 'flashCrowd'
      ? { ...incident, viewers: Math.max(1, Math.round((incident.viewers * viewers) / scenario.viewers)) }
      : incident,
  );
  return { ...scenario, viewers, incidents };
}

/** Packets a second to a viewer, and bits: one video and one voice. */
export function rateOf({ video, audio }: Pick<Scenario, 'video' | 'audio'>): {
  readonly packets: number;
  readonly bits: number;
} {
  const bits = 8 * (video.perSecond * video.bytes + audio.perSecond * audio.bytes);
  return { packets: video.perSecond + audio.perSecond, bits };
}
