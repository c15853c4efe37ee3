/**
 * Processor time of a forwarded packet: a node of a cluster beside bare mediasoup that does the same work, in turns.
 * Counts the mediasoup worker and the Node.js process around it, all threads, and divides by packets that arrived.
 */
import { startChild, type Child } from './child.ts';
import { cpuNs } from './cpu.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import type { ForwardSubject, SubjectKind } from './forward-subject.ts';
import { spreadOf } from './spread.ts';
import { startViewers, type Viewers } from './viewer.ts';

const KINDS = ['node', 'bare'] as const satisfies readonly SubjectKind[];

/** 150 packets a second of 1,100 bytes: 1.3 Mb/s, a 720p camera. */
const STREAM = { payloadType: 101, picturesPerS: 30, packetsPerFrame: 5, packetBytes: 1_100, keyEvery: 60 } as const;
const EFFORTS = {
  full: { viewers: 30, pairs: 25, pictures: 45 },
  tiny: { viewers: 2, pairs: 1, pictures: 15 },
} as const;
/** For what is still under way when the source stops. */
const SETTLE_MS = 400;

/** Share of the packets that must arrive. With less, the machine was too busy and both sides did other work. */
const WHOLE = 0.98;

interface Running {
  readonly kind: SubjectKind;
  readonly child: Child<ForwardSubject>;
  readonly port: number;
  readonly pids: readonly number[];
  readonly ssrc: number;
  pictures: number;
}

interface Round {
  /** Of the worker and of the process around it, ns. */
  readonly workerNs: number;
  readonly processNs: number;
  readonly packets: number;
  readonly expected: number;
}

async function start(kind: SubjectKind, viewers: Viewers, count: number): Promise<Running> {
  const child = startChild<ForwardSubject>('forward-subject.ts');
  const ssrc = kind === 'node' ? 0x0a0b0c01 : 0x0a0b0c02;
  const { port, workerPid } = await child.ask('start', { kind, ssrc });
  const fingerprint = await viewers.fingerprint();
  for (let viewer = 0; viewer < count; viewer++) {
    const end = await child.ask('open', { viewer });
    await child.ask('connect', { viewer, dtlsParameters: { role: 'client', fingerprints: [fingerprint] } });
    const rtpParameters = await child.ask('consume', { viewer });
    await viewers.watch({ group: kind, ...end, rtpParameters });
    await child.ask('resume', { viewer });
  }
  return { kind, child, port, pids: [workerPid, child.pid], ssrc, pictures: 0 };
}

async function round(subject: Running, viewers: Viewers, pictures: number): Promise<Round> {
  const cpu = (): Promise<number[]> => Promise.all(subject.pids.map(cpuNs));
  const [cpuBefore, before] = await Promise.all([cpu(), viewers.count(subject.kind)]);
  const { port, ssrc } = subject;
  const firstSequence = (1 + subject.pictures * STREAM.packetsPerFrame) & 0xffff;
  const where = { port, ssrc, firstSequence, firstPicture: subject.pictures };
  const sent = await viewers.send({ ...STREAM, ...where, pictures });
  subject.pictures += pictures;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const cpuAfter = await cpu();
  const after = await settled(viewers, subject.kind);
  const [workerNs = 0, processNs = 0] = cpuAfter.map((ns, index) => ns - (cpuBefore[index] ?? 0));
  const expected = sent.packets * after.viewers;
  const packets = after.packets - before.packets;
  return { workerNs, processNs, packets, expected };
}

/** The count when nothing more comes: viewers on a busy machine read late what reached their sockets in time. */
async function settled(viewers: Viewers, kind: SubjectKind): Promise<Awaited<ReturnType<Viewers['count']>>> {
  for (let last = await viewers.count(kind); ;) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const now = await viewers.count(kind);
    if (now.packets === last.packets) return now;
    last = now;
  }
}

const perPacketUs = ({ workerNs, processNs, packets }: Round): number => (workerNs + processNs) / packets / 1_000;

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const { viewers: count, pairs, pictures } = EFFORTS[effort];
  const load = loadNow();
  const viewers = await startViewers();
  const subjects: Running[] = [];
  try {
    for (const kind of KINDS) {
      say(`${kind}: connecting ${count} viewers`);
      subjects.push(await start(kind, viewers, count));
    }
    const rounds: Record<SubjectKind, Round[]> = { node: [], bare: [] };
    // The first pair warms both up and is not counted.
    for (let pair = 0; pair <= 2 * pairs && rounds.node.length < pairs; pair++) {
      // Whoever goes second finds a warmer machine, so they take turns at it.
      const turn = pair % 2 === 0 ? subjects : subjects.toReversed();
      const done: (readonly [SubjectKind, Round])[] = [];
      for (const subject of turn) done.push([subject.kind, await round(subject, viewers, pictures)]);
      const whole = done.every(([, { packets, expected }]) => packets >= expected * WHOLE);
      if (pair > 0 && whole) for (const [kind, one] of done) rounds[kind].push(one);
      const told = done.map(([kind, one]) => `${kind} ${perPacketUs(one).toFixed(2)} µs`).join(', ');
      say(`pair ${pair}: ${told}${pair === 0 ? ', to warm up' : whole ? '' : ', left out: packets were lost'}`);
    }
    return figuresOf(rounds, load, `${count} WebRTC viewers of one stream of 150 packets/s of 1.1 kB`);
  } finally {
    for (const { child } of subjects) await child.close();
    await viewers.close();
  }
}

function figuresOf(rounds: Record<SubjectKind, Round[]>, load: number, note: string): Figure[] {
  const node = rounds.node.map(perPacketUs);
  const bare = rounds.bare.map(perPacketUs);
  const share = rounds.node.map(({ workerNs, processNs }) => (100 * processNs) / (workerNs + processNs));
  const ratio = node.map((us, index) => us / (bare[index] ?? Number.NaN));
  const paired = `${note}; of ${ratio.length} pairs in turns`;
  return figures(load, [
    {
      name: 'forwarded packet, cluster node ÷ bare mediasoup',
      unit: '×',
      spread: spreadOf(ratio),
      goal: 1.05,
      note: paired,
    },
    { name: 'forwarded packet, cluster node', unit: 'µs CPU', spread: spreadOf(node), note },
    { name: 'forwarded packet, bare mediasoup', unit: 'µs CPU', spread: spreadOf(bare), note },
    { name: "Node.js process's share of the cluster node", unit: '%', spread: spreadOf(share), note },
  ]);
}

export const forward: Bench = { name: 'forward', title: 'CPU of a forwarded packet', run };
