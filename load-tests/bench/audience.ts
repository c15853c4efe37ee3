/**
 * One media worker under as many viewers as it must carry: loss, processor time, delay. A Room has 100 Peers, so they are five Rooms of
 * 99 viewers, each with a publisher; packets and viewers of each on the worker are the same as of one.
 */
import { startChild } from './child.ts';
import { cpuNs } from './cpu.ts';
import { startCrowd, type CrowdProgram } from './crowd-program.ts';
import type { CrowdSubject } from './crowd-subject.ts';
import { figures, loadNow, type Bench, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

/** 150 packets a second of 1.1 kB; a key frame of 40 packets each 10 s. */
const CAMERA = {
  source: 'camera',
  shape: { fps: 30, frameBytes: 5_430, keyFrameBytes: 43_400, keyEvery: 300, packetBytes: 1_090, layers: 1 },
} as const;
const EFFORTS = {
  full: { rooms: 5, viewers: 495, rounds: 6, seconds: 10, perSecond: 15 },
  tiny: { rooms: 1, viewers: 3, rounds: 1, seconds: 2, perSecond: 0 },
} as const;

export interface AudienceSize {
  readonly rooms: number;
  readonly viewers: number;
  readonly rounds: number;
  readonly seconds: number;
  /** 0: as fast as they can. */
  readonly perSecond: number;
  /** Share that must get in; missing: all. */
  readonly least?: number;
}

export interface Round {
  /** Of all packets, those that did not come after repair. */
  readonly lossPercent: number;
  /** Of all packets, those that did not come at first, repaired or not. */
  readonly missingPercent: number;
  /** Of one core. */
  readonly workerPercent: number;
  readonly crowdUs: number;
  readonly p50: number;
  readonly p99: number;
  readonly keyP99: number;
  readonly perSecond: number;
}

const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1_000));

async function round(crowd: CrowdProgram, workerPid: number, seconds: number): Promise<Round> {
  await crowd.forget();
  const cpu = () => Promise.all([cpuNs(workerPid), cpuNs(crowd.pid)]);
  const [[worker, clients], before, began] = [await cpu(), await crowd.count(), performance.now()];
  await pause(seconds);
  const [[workerAfter, clientsAfter], after] = [await cpu(), await crowd.count()];
  const took = (performance.now() - began) / 1_000;
  const { delay, keyDelay } = await crowd.report();
  const packets = after.came.packets - before.came.packets;
  const lost = after.came.lost - before.came.lost;
  const repaired = after.came.repaired - before.came.repaired;
  return {
    lossPercent: (100 * lost) / (packets + lost),
    missingPercent: (100 * (lost + repaired)) / (packets + lost),
    workerPercent: (workerAfter - worker) / took / 1e7,
    crowdUs: (clientsAfter - clients) / packets / 1e3,
    p50: delay.p50,
    p99: delay.p99,
    keyP99: keyDelay.p99,
    perSecond: packets / took,
  };
}

/** Seats so many viewers before as many publishers as there are Rooms, on one media worker, and looks at it for so many rounds. */
export async function watched(
  size: AudienceSize,
  say: Say,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly Round[]> {
  const { rooms, viewers, rounds, seconds, perSecond, least = 1 } = size;
  const subject = startChild<CrowdSubject>('crowd-subject.ts', [], environment);
  const { origin, workerPid } = await subject.ask('start', undefined);
  const crowd = await startCrowd(origin);
  try {
    const room = 'audience';
    const speakers = { room, rooms, role: 'speaker', count: rooms, keys: true, publish: [CAMERA] } as const;
    const people = { room, rooms, role: 'viewer', count: viewers, perSecond, keys: true, watch: true } as const;
    const came = (await crowd.join(speakers)) + (await crowd.join(people));
    if (came < least * (rooms + viewers)) {
      const { refusals } = await crowd.report();
      throw new Error(`${came} came of ${rooms + viewers}, refused: ${JSON.stringify(refusals)}`);
    }
    await pause(1);
    const all: Round[] = [];
    for (let number = 1; number <= rounds; number++) {
      const one = await round(crowd, workerPid, seconds);
      all.push(one);
      say(
        `round ${number}: ${one.perSecond.toFixed(0)} packets/s, ${one.missingPercent.toFixed(3)} % missing, ${one.lossPercent.toFixed(3)} % lost, ` +
          `${one.workerPercent.toFixed(0)} % of a core, delay p50 ${one.p50.toFixed(2)} ms, p99 ${one.p99.toFixed(2)} ms`,
      );
    }
    return all;
  } finally {
    await crowd.close();
    await subject.close();
  }
}

/** The figure that a loss shows in, though it was repaired. */
export const MISSING = 'missing before repair';
/** Share of packets, %, that may be missing before repair where the network loses none. */
const MISSING_MAX = 0.1;

/** The bench of any size, of a cluster with a fault or without one. */
export async function audienceOf(
  size: AudienceSize,
  say: Say,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly Figure[]> {
  const { rooms, viewers, rounds, seconds } = size;
  const load = loadNow();
  const all = await watched(size, say, environment);
  const note = `${viewers} viewers of ${rooms} publishers with 150 packets/s on one worker; ${rounds} times ${seconds} s`;
  const of = (pick: (one: Round) => number) => spreadOf(all.map(pick));
  return figures(load, [
    { name: 'lost after repair', unit: '%', spread: of((one) => one.lossPercent), goal: 0, note },
    { name: MISSING, unit: '%', spread: of((one) => one.missingPercent), goal: MISSING_MAX, note },
    {
      name: 'forwarded packet, media worker',
      unit: 'µs CPU',
      spread: of((one) => (one.workerPercent * 1e4) / one.perSecond),
      note,
    },
    { name: 'media worker', unit: '% of a core', spread: of((one) => one.workerPercent), goal: 60, note },
    { name: 'delay between key frames, p50', unit: 'ms', spread: of((one) => one.p50), goal: 2, note },
    { name: 'delay between key frames, p99', unit: 'ms', spread: of((one) => one.p99), goal: 5, note },
    { name: 'delay at key frames, p99', unit: 'ms', spread: of((one) => one.keyP99), note },
    { name: 'the crowd itself, a packet', unit: 'µs CPU', spread: of((one) => one.crowdUs), note },
  ]);
}

export const audience: Bench = {
  name: 'audience',
  title: 'a media worker with 500 viewers',
  run: (effort, say) => audienceOf(EFFORTS[effort], say),
};
