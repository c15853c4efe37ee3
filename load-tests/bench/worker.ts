/**
 * What batching in the media worker saves: one worker with it and one without, the same program, the same light viewers, in turns.
 * Counts the worker process alone, all threads, and divides by packets that arrived.
 */
import { cpuNs } from './cpu.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';
import { startViewers, type Burst, type Seen, type Viewers } from './viewer.ts';
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
const EFFORTS = { full: { most: 600, pairs: 5, seconds: 4 }, tiny: { most: 3, pairs: 1, seconds: 0.5 } } as const;
const SETTLE_MS = 400;
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
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
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
    return all;
  } finally {
    for (const { audience } of subjects) audience.close();
    await viewers.close();
  }
}

export const worker: Bench = { name: 'worker', title: 'batching in the media worker', run };
