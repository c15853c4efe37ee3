/**
 * What batching in the media worker saves: one worker with it and one without, the same program, the same light viewers, in turns.
 * Counts the worker process alone, all threads, and divides by packets that arrived.
 */
import { cpuNs } from './cpu.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';
import { startViewers, type Burst, type Seen, type Viewers } from './viewer.ts';
import { PipePair } from './worker-pipe.ts';
import { Audience, openSource, type Kind, type Source } from './worker-subject.ts';

const KINDS = ['plain', 'batched'] as const satisfies readonly Kind[];

interface Traffic {
  readonly name: string;
  readonly kind: 'audio' | 'video';
  readonly viewers: readonly number[];
  readonly goal: number;
  readonly shape: Omit<Burst, 'port' | 'ssrc' | 'frames'>;
}

const VIDEO = { payloadType: 101, clockRate: 90_000, framesPerS: 30, keyEvery: 60, packetBytes: 1_100 } as const;
const TRAFFICS: readonly Traffic[] = [
  {
    name: 'frames of 4, key frames of 40',
    kind: 'video',
    viewers: [100, 300, 600],
    goal: 0.65,
    shape: { ...VIDEO, packetsPerFrame: 4, keyPackets: 40 },
  },
  {
    name: 'frames of 10, key frames of 80',
    kind: 'video',
    viewers: [100, 200],
    goal: 0.5,
    shape: { ...VIDEO, packetsPerFrame: 10, keyPackets: 80 },
  },
  {
    name: 'single packets',
    kind: 'audio',
    viewers: [300],
    goal: 1,
    shape: {
      payloadType: 100,
      clockRate: 48_000,
      framesPerS: 50,
      packetsPerFrame: 1,
      keyPackets: 1,
      keyEvery: 0,
      packetBytes: 120,
    },
  },
];
const EFFORTS = {
  full: { most: 600, pairs: 5, seconds: 4, streams: 40 },
  tiny: { most: 3, pairs: 1, seconds: 0.5, streams: 2 },
} as const;
/** By how much the rate is raised at a time, and the p50 of the delay at which a queue stands. */
const STEP = 1.2;
const QUEUE_MS = 50;
const SETTLE_MS = 400;
const IDLE_MS = 10_000;
/** With less of the packets arrived the machine was too busy, and both sides did other work. */
const WHOLE = 0.98;

interface Subject {
  readonly kind: Kind;
  readonly audience: Audience;
  readonly sources: Readonly<Record<Traffic['kind'], Source>>;
}

interface Round {
  readonly us: number;
  readonly share: number;
  readonly whole: boolean;
  readonly seen: Seen;
}

async function open(kind: Kind, viewers: Viewers, count: number): Promise<Subject> {
  const audience = await Audience.open(kind, viewers, count);
  const first = kind === 'plain' ? 0x0a000000 : 0x0b000000;
  const [video, audio] = await Promise.all([
    openSource(audience.router, 'video', first),
    openSource(audience.router, 'audio', first + 1),
  ]);
  return { kind, audience, sources: { video, audio } };
}

/** Resolves once a worker has nothing left to send: one that cannot keep up still has a queue when the source stops. */
async function idle(pid: number): Promise<void> {
  const deadline = performance.now() + IDLE_MS;
  for (let last = await cpuNs(pid); ;) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const now = await cpuNs(pid);
    if (now - last < (SETTLE_MS * 1e6) / 20 || performance.now() > deadline) return;
    last = now;
  }
}

async function round(
  viewers: Viewers,
  subject: Subject,
  traffic: Traffic,
  count: number,
  seconds: number,
): Promise<Round> {
  const { audience, sources } = subject;
  const { port, ssrc } = sources[traffic.kind];
  await viewers.seen(audience.group);
  const [before, began] = [await cpuNs(audience.worker.pid), performance.now()];
  const frames = Math.round(seconds * traffic.shape.framesPerS);
  const { packets } = await viewers.burst({ ...traffic.shape, port, ssrc, frames });
  const took = performance.now() - began;
  await idle(audience.worker.pid);
  const ns = (await cpuNs(audience.worker.pid)) - before;
  const seen = await viewers.seen(audience.group);
  const whole = seen.packets >= packets * count * WHOLE;
  return { us: ns / seen.packets / 1e3, share: ns / took / 1e6, whole, seen };
}

type Pairs = Readonly<Record<Kind, Round[]>>;

async function pairsOf(
  viewers: Viewers,
  subjects: readonly Subject[],
  traffic: Traffic,
  count: number,
  { pairs, seconds }: { pairs: number; seconds: number },
  say: Say,
): Promise<Pairs> {
  for (const { audience, sources } of subjects) await audience.watch(count, sources[traffic.kind]);
  const rounds: Pairs = { plain: [], batched: [] };
  // The first pair warms both up and is not counted.
  for (let pair = 0; pair <= 2 * pairs && rounds.plain.length < pairs; pair++) {
    const turn = pair % 2 === 0 ? subjects : subjects.toReversed();
    const done: (readonly [Kind, Round])[] = [];
    for (const subject of turn)
      done.push([subject.kind, await round(viewers, subject, traffic, count, pair === 0 ? 0.5 : seconds)]);
    const whole = done.every(([, one]) => one.whole);
    if (pair > 0 && whole) for (const [kind, one] of done) rounds[kind].push(one);
    const told = done.map(([kind, { us, seen }]) => {
      const delays = seen.delays.map((ms) => ms.toFixed(2)).join('/');
      return `${kind} ${us.toFixed(2)} µs, ${delays} ms, ${seen.missing} missing, ${seen.misplaced} misplaced`;
    });
    say(`${told.join('; ')}${pair === 0 ? '; to warm up' : whole ? '' : '; left out: packets were lost'}`);
  }
  return rounds;
}

function ratioOf(rounds: Pairs, pick: (round: Round) => number): number[] {
  return rounds.batched.map((one, pair) => pick(one) / pick(rounds.plain[pair]!));
}

function figuresOf(traffic: Traffic, count: number, rounds: Pairs, load: number): Figure[] {
  // A machine that lost packets in every pair has no figure to give; what was said tells it.
  if (rounds.plain.length === 0) return [];
  const what = `${traffic.name}, ${count} viewers`;
  const note = `${rounds.plain.length} pairs in turns; ${traffic.shape.framesPerS} frames/s of ${traffic.shape.packetBytes} bytes a packet, light WebRTC viewers, GCM`;
  const ratio = (name: string, pick: (round: Round) => number, goal?: number) => ({
    name: `${what}: ${name}, batched ÷ plain`,
    unit: '×',
    spread: spreadOf(ratioOf(rounds, pick)),
    note,
    ...(goal === undefined ? {} : { goal }),
  });
  const isSingle = traffic.kind === 'audio';
  return figures(load, [
    ratio('CPU a forwarded packet', ({ us }) => us, traffic.goal),
    ...KINDS.map((kind) => ({
      name: `${what}: ${kind}`,
      unit: 'µs CPU',
      spread: spreadOf(rounds[kind].map(({ us }) => us)),
      note,
    })),
    ratio('delay p50', ({ seen }) => seen.delays[0] ?? Number.NaN, isSingle ? 1.1 : undefined),
    ratio('delay p95', ({ seen }) => seen.delays[1] ?? Number.NaN, isSingle ? undefined : 0.7),
    ratio('delay max', ({ seen }) => seen.delays[3] ?? Number.NaN, isSingle ? undefined : 0.7),
  ]);
}

/** Both kinds of Pipe in turns. */
async function pipes(viewers: Viewers, wanted: (typeof EFFORTS)[Effort], load: number, say: Say): Promise<Figure[]> {
  const { streams, pairs, seconds } = wanted;
  const open: Record<Kind, PipePair> = {
    plain: await PipePair.open('plain', 0x0c000000, streams),
    batched: await PipePair.open('batched', 0x0d000000, streams),
  };
  try {
    const us: Record<Kind, number[]> = { plain: [], batched: [] };
    for (let pair = 0; pair <= 2 * pairs && us.plain.length < pairs; pair++) {
      const done: (readonly [Kind, { us: number; whole: boolean }])[] = [];
      for (const kind of pair % 2 === 0 ? KINDS : KINDS.toReversed())
        done.push([kind, await open[kind].round(viewers, seconds)]);
      const whole = done.every(([, one]) => one.whole);
      if (pair > 0 && whole) for (const [kind, one] of done) us[kind].push(one.us);
      say(
        `Pipe: ${done.map(([kind, one]) => `${kind} ${one.us.toFixed(2)} µs${one.whole ? '' : ', lost some'}`).join('; ')}`,
      );
    }
    if (us.plain.length === 0) return [];
    const note = `${us.plain.length} pairs in turns; ${streams} streams with frames of 10 packets and key frames of 80, SRTP, both workers together`;
    const ratio = us.batched.map((one, pair) => one / us.plain[pair]!);
    return figures(load, [
      { name: 'Pipe hop, bursts: CPU a packet, batched ÷ plain', unit: '×', spread: spreadOf(ratio), goal: 0.7, note },
      ...KINDS.map((kind) => ({ name: `Pipe hop, bursts: ${kind}`, unit: 'µs CPU', spread: spreadOf(us[kind]), note })),
    ]);
  } finally {
    for (const kind of KINDS) open[kind].close();
  }
}

/** How far the frame rate can be raised before packets are lost or a queue stands, as viewers of 150 packets/s. */
async function most(viewers: Viewers, subject: Subject, count: number, seconds: number, say: Say): Promise<number> {
  const [traffic] = TRAFFICS as readonly [Traffic, ...Traffic[]];
  let carried = 0;
  for (let framesPerS = 15; framesPerS < 1_000; framesPerS *= STEP) {
    const shape = { ...traffic.shape, framesPerS, keyEvery: Math.round(2 * framesPerS) };
    const one = await round(viewers, subject, { ...traffic, shape }, count, seconds);
    if (!one.whole || one.seen.missing > 0 || (one.seen.delays[0] ?? Infinity) > QUEUE_MS) break;
    carried = (one.seen.packets / Math.round(seconds * framesPerS)) * (framesPerS / 150);
  }
  say(`${subject.kind}: ${carried.toFixed(0)} viewers of 150 packets/s on a core`);
  return carried;
}

async function capacity(
  viewers: Viewers,
  subjects: readonly Subject[],
  { most: all, pairs, seconds }: (typeof EFFORTS)[Effort],
  load: number,
  say: Say,
): Promise<Figure[]> {
  const count = Math.min(all, 300);
  for (const { audience, sources } of subjects) await audience.watch(count, sources.video);
  const carried: Record<Kind, number[]> = { plain: [], batched: [] };
  for (let pair = 0; pair < pairs; pair++)
    for (const subject of pair % 2 === 0 ? subjects : subjects.toReversed())
      carried[subject.kind].push(await most(viewers, subject, count, Math.min(seconds, 2), say));
  // One that carries nothing had no processor left; there is nothing to compare.
  if ([...carried.plain, ...carried.batched].includes(0)) return [];
  const note = `${count} viewers, frames of 4, the frame rate raised by ${STEP} until a packet was lost or p50 passed ${QUEUE_MS} ms; ${pairs} times in turns`;
  const ratio = carried.plain.map((plain, pair) => plain / carried.batched[pair]!);
  return figures(load, [
    { name: 'most viewers on a core, plain ÷ batched', unit: '×', spread: spreadOf(ratio), goal: 1 / 1.5, note },
    ...KINDS.map((kind) => ({
      name: `most viewers on a core, ${kind}`,
      unit: 'viewers',
      spread: spreadOf(carried[kind]),
      note,
    })),
  ]);
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const wanted = EFFORTS[effort];
  const load = loadNow();
  const viewers = await startViewers();
  const subjects: Subject[] = [];
  try {
    for (const kind of KINDS) {
      say(`${kind}: connecting ${wanted.most} viewers`);
      subjects.push(await open(kind, viewers, wanted.most));
    }
    const all: Figure[] = [];
    for (const traffic of TRAFFICS)
      for (const count of effort === 'tiny' ? [wanted.most] : traffic.viewers) {
        say(`${traffic.name}, ${count} viewers`);
        all.push(...figuresOf(traffic, count, await pairsOf(viewers, subjects, traffic, count, wanted, say), load));
      }
    all.push(...(await capacity(viewers, subjects, wanted, load, say)));
    all.push(...(await pipes(viewers, wanted, load, say)));
    return all;
  } finally {
    for (const { audience } of subjects) audience.close();
    await viewers.close();
  }
}

export const worker: Bench = { name: 'worker', title: 'batching in the media worker', run };
