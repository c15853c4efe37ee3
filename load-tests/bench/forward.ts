/**
 * Processor time of a forwarded packet: a node of a cluster beside bare mediasoup that does the same work, in turns.
 * Counts the mediasoup worker and the Node.js process around it, all threads, and divides by packets that arrived.
 */
import { startChild } from './child.ts';
import { cpuNs, residentKiB } from './cpu.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import type { ForwardSubject, SubjectKind } from './forward-subject.ts';
import { startJanus } from './janus.ts';
import { spreadOf } from './spread.ts';
import { startViewers, type Viewers } from './viewer.ts';

/** What is compared. */
export interface Side {
  /** Not that of another side. */
  readonly name: string;
  readonly kind: SubjectKind | 'janus';
  /** Added to that of its process; not Janus'. */
  readonly environment?: Readonly<Record<string, string>>;
}

const SIDES: readonly Side[] = [
  { name: 'node', kind: 'node' },
  { name: 'bare', kind: 'bare' },
];

/** 150 packets a second of 1,100 bytes: 1.3 Mb/s, a 720p camera. */
const STREAM = { payloadType: 101, picturesPerS: 30, packetsPerFrame: 5, packetBytes: 1_100, keyEvery: 60 } as const;
const EFFORTS = {
  full: { viewers: 30, turns: 25, pictures: 45 },
  tiny: { viewers: 2, turns: 1, pictures: 15 },
} as const;
/** For what is still under way when the source stops. */
const SETTLE_MS = 200;

/** Share of the packets that must arrive. With less, the machine was too busy and the sides did different work. */
const WHOLE = 0.98;

export interface ForwardSize {
  readonly viewers: number;
  /** Whole ones that are wanted: every side once. */
  readonly turns: number;
  /** Of the source in one round. */
  readonly pictures: number;
}

interface Running {
  readonly name: string;
  readonly port: number;
  /** The one that forwards, and the one around it, if there is one. */
  readonly pids: readonly number[];
  readonly ssrc: number;
  pictures: number;
  close(): Promise<void>;
}

export interface Round {
  /** Of the worker and of the process around it, ns. */
  readonly workerNs: number;
  readonly processNs: number;
  readonly packets: number;
  readonly expected: number;
  /** From the source's write to the viewer's read, ms: p50, p95, p99, p99.9, most. */
  readonly delays: readonly number[];
}

/** What one more viewer took: each one's way in, ms, and memory of the processes, KiB. */
export interface Seating {
  readonly joinMs: readonly number[];
  readonly viewerKiB: number;
}

/** By the name of the side, in turns: the first of all belong together. */
export type Rounds = Readonly<Record<string, readonly Round[]>>;

/** One that has no viewers yet. */
interface Empty extends Omit<Running, 'pictures'> {
  seat(viewer: number): Promise<void>;
}

async function startOwn(
  { name, environment }: Side,
  kind: SubjectKind,
  ssrc: number,
  viewers: Viewers,
): Promise<Empty> {
  const child = startChild<ForwardSubject>('forward-subject.ts', [], environment);
  const { port, workerPid } = await child.ask('start', { kind, ssrc });
  const fingerprint = await viewers.fingerprint();
  const seat = async (viewer: number): Promise<void> => {
    const end = await child.ask('open', { viewer });
    await child.ask('connect', { viewer, dtlsParameters: { role: 'client', fingerprints: [fingerprint] } });
    const rtpParameters = await child.ask('consume', { viewer });
    await viewers.watch({ group: name, ...end, rtpParameters });
    await child.ask('resume', { viewer });
  };
  return { name, port, pids: [workerPid, child.pid], ssrc, seat, close: () => child.close() };
}

async function startPeer({ name }: Side, ssrc: number, viewers: Viewers): Promise<Empty> {
  const janus = await startJanus({ payloadType: STREAM.payloadType });
  const { pid, port, interfaceName } = janus;
  const seat = (): Promise<void> => janus.watch((offer) => viewers.answer(name, offer, interfaceName));
  return { name, port, pids: [pid], ssrc, seat, close: () => janus.close() };
}

async function seated(side: Empty, count: number): Promise<Seating> {
  const memory = async (): Promise<number> =>
    (await Promise.all(side.pids.map(residentKiB))).reduce((a, b) => a + b, 0);
  const before = await memory();
  const joinMs: number[] = [];
  for (let viewer = 0; viewer < count; viewer++) {
    const began = performance.now();
    await side.seat(viewer);
    joinMs.push(performance.now() - began);
  }
  return { joinMs, viewerKiB: ((await memory()) - before) / count };
}

async function round(subject: Running, viewers: Viewers, pictures: number): Promise<Round> {
  const cpu = (): Promise<number[]> => Promise.all(subject.pids.map(cpuNs));
  const [cpuBefore, before] = await Promise.all([cpu(), viewers.count(subject.name)]);
  await viewers.slowness(subject.name);
  const { port, ssrc } = subject;
  const firstSequence = (1 + subject.pictures * STREAM.packetsPerFrame) & 0xffff;
  const where = { port, ssrc, firstSequence, firstPicture: subject.pictures };
  const sent = await viewers.send({ ...STREAM, ...where, pictures });
  subject.pictures += pictures;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const cpuAfter = await cpu();
  const after = await settled(viewers, subject.name);
  const [workerNs = 0, processNs = 0] = cpuAfter.map((ns, index) => ns - (cpuBefore[index] ?? 0));
  const expected = sent.packets * after.viewers;
  const packets = after.packets - before.packets;
  return { workerNs, processNs, packets, expected, delays: await viewers.slowness(subject.name) };
}

/** The count when nothing more comes: viewers on a busy machine read late what reached their sockets in time. */
async function settled(viewers: Viewers, group: string): Promise<Awaited<ReturnType<Viewers['count']>>> {
  for (let last = await viewers.count(group); ;) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const now = await viewers.count(group);
    if (now.packets === last.packets) return now;
    last = now;
  }
}

export const perPacketUs = ({ workerNs, processNs, packets }: Round): number =>
  (workerNs + processNs) / packets / 1_000;

/** Of a packet, one side's processor time by the other's, turn by turn. */
export function ratios(rounds: Rounds, one: string, other: string): number[] {
  const below = rounds[other] ?? [];
  return (rounds[one] ?? []).map((round, turn) => perPacketUs(round) / perPacketUs(below[turn]!));
}

export interface Compared {
  readonly rounds: Rounds;
  readonly seatings: Readonly<Record<string, Seating>>;
}

/** Lets each side forward the same stream to as many viewers, in turns. `enough` may end it before all turns are taken. */
export async function forwarding(
  sides: readonly Side[],
  { viewers: count, turns, pictures }: ForwardSize,
  say: Say,
  enough: (rounds: Rounds) => boolean = () => false,
): Promise<Compared> {
  const viewers = await startViewers();
  const subjects: Running[] = [];
  const seatings: Record<string, Seating> = {};
  try {
    for (const [at, side] of sides.entries()) {
      say(`${side.name}: connecting ${count} viewers`);
      const ssrc = 0x0a0b0c01 + at;
      const { kind } = side;
      const empty = await (kind === 'janus' ? startPeer(side, ssrc, viewers) : startOwn(side, kind, ssrc, viewers));
      subjects.push({ ...empty, pictures: 0 });
      seatings[side.name] = await seated(empty, count);
    }
    const rounds: Record<string, Round[]> = Object.fromEntries(sides.map(({ name }) => [name, []]));
    const taken = (): number => rounds[sides[0]?.name ?? '']?.length ?? 0;
    // The first turn warms all up and is not counted.
    for (let turn = 0; turn <= 2 * turns && taken() < turns && !(taken() > 0 && enough(rounds)); turn++) {
      // Whoever goes second finds a warmer machine, so they take turns at it.
      const order = turn % 2 === 0 ? subjects : subjects.toReversed();
      const done: (readonly [string, Round])[] = [];
      for (const subject of order) done.push([subject.name, await round(subject, viewers, pictures)]);
      const whole = done.every(([, { packets, expected }]) => packets >= expected * WHOLE);
      if (turn > 0 && whole) for (const [name, one] of done) rounds[name]?.push(one);
      const told = done.map(([name, one]) => `${name} ${perPacketUs(one).toFixed(2)} µs`).join(', ');
      say(`turn ${turn}: ${told}${turn === 0 ? ', to warm up' : whole ? '' : ', left out: packets were lost'}`);
    }
    return { rounds, seatings };
  } finally {
    for (const subject of subjects) await subject.close();
    await viewers.close();
  }
}

/** What the goal is about. */
export const OVERHEAD_MAX = 1.05;

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const size = EFFORTS[effort];
  const load = loadNow();
  const { rounds } = await forwarding(SIDES, size, say);
  return figuresOf(rounds, load, `${size.viewers} WebRTC viewers of one stream of 150 packets/s of 1.1 kB`);
}

function figuresOf(rounds: Rounds, load: number, note: string): Figure[] {
  const [node, bare] = SIDES.map(({ name }) => rounds[name] ?? []) as [readonly Round[], readonly Round[]];
  const share = node.map(({ workerNs, processNs }) => (100 * processNs) / (workerNs + processNs));
  const ratio = ratios(rounds, 'node', 'bare');
  const paired = `${note}; of ${ratio.length} pairs in turns`;
  return figures(load, [
    {
      name: 'forwarded packet, cluster node ÷ bare mediasoup',
      unit: '×',
      spread: spreadOf(ratio),
      goal: OVERHEAD_MAX,
      note: paired,
    },
    { name: 'forwarded packet, cluster node', unit: 'µs CPU', spread: spreadOf(node.map(perPacketUs)), note },
    { name: 'forwarded packet, bare mediasoup', unit: 'µs CPU', spread: spreadOf(bare.map(perPacketUs)), note },
    { name: "Node.js process's share of the cluster node", unit: '%', spread: spreadOf(share), note },
  ]);
}

export const forward: Bench = { name: 'forward', title: 'CPU of a forwarded packet', run };
