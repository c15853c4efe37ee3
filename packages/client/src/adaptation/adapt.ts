/**
 * What a connection carries, decided from what was measured of it (ADR 0035): which layers are sent and asked for, how many frames,
 * how much sound, whether pictures go at all. It sets ceilings only: below them the browser's and the server's own estimates and what people
 * watch decide as before. Sound lives longest. Pure: no timers, the time is an argument.
 */
import { blame, IDLE, lasts, watchBusy, type BusyState } from './busy.ts';
import { forget, newLeg, renew, stepLeg, type Ladder, type LegState, type Signal, type Trouble } from './leg.ts';
import {
  RECEIVE_CPU_LOWEST,
  RECEIVE_RUNGS,
  SEND_CPU_LOWEST,
  SEND_RUNGS,
  SOUND_BPS,
  SOUND_MIN,
  soundOverhead,
} from './rungs.ts';
import type { ReceiveSample, Sample, SendSample } from './sample.ts';

export interface SendCeiling {
  /** null: no picture. */
  readonly layersMax: number | null;
  readonly framesPerSecond: number | undefined;
  /** Of the voice, 6,000 to 64,000. It is never switched off. */
  readonly soundBps: number;
  readonly packetMs: 20 | 60;
}

export interface ReceiveCeiling {
  readonly layersMax: number | null;
  /** What those who speak are asked to keep to; undefined: nothing. */
  readonly soundBps: number | undefined;
}

export interface Decision {
  readonly send: SendCeiling;
  readonly receive: ReceiveCeiling;
  /** `other`: this path does not even carry the sound; whoever chooses paths should try another. */
  readonly path: 'keep' | 'other';
}

/** Why a way is not at its top; undefined: it is. */
export interface Why {
  readonly send: Trouble | undefined;
  readonly receive: Trouble | 'save-data' | undefined;
}

export interface AdaptationState {
  readonly send: LegState;
  readonly receive: LegState;
  readonly network: string;
  /** The least round trip, which creeps up so that another path is learnt. ms */
  readonly leastRttMs: { readonly send: number; readonly receive: number };
  /** Looks in a row that found a queue. One late answer may be a device that was busy. */
  readonly fullLooks: { readonly send: number; readonly receive: number };
  readonly warmUntil: number;
  readonly busy: BusyState;
  /** Since when sound alone is still too much. */
  readonly brokenSince: number | undefined;
  readonly lookedAt: number;
}

export interface Adapted {
  readonly state: AdaptationState;
  readonly decision: Decision;
  readonly why: Why;
}

const SEND_TOP = SEND_RUNGS.length - 1;
const RECEIVE_TOP = RECEIVE_RUNGS.length - 1;
const SEND_LADDER: Ladder = { floors: SEND_RUNGS.map(({ floor }) => floor), cpuLowest: SEND_CPU_LOWEST };

/** A new connection's estimate starts low and grows. */
const WARM_MS = 4_000;
/** A queue of so much more than the path itself is heard; where packets are lost as well, a shorter one is full already. */
const QUEUE_MS = 200;
const FULL = { queueMs: 60, loss: 0.05 } as const;
/** More waits here than leaves. */
const SEND_DELAY_MS = 400;
/** Forward error correction and retransmission make up for less. */
const LOSS = 0.1;
/** A tenth of a word; a quarter is no speech any more, wherever it was lost. */
const CONCEALED = 0.08;
const BROKEN = 0.25;
/** The estimate was tried: less than this share of it may be all there was to send. */
const TRIED = 0.6;
/** An estimate was made of what was sent: it needs so long to follow what a rung up sends. */
const FOLLOWS_MS = 2_000;
/** Room for what an estimate is wrong by. More: browsers estimate no more than half as much again as they send. */
const ROOM = 1.15;
/** Sound alone, and still too much: for that long before another path is worth a gap. */
const BROKEN_MS = 8_000;
/** How fast the least round trip is forgotten, ms a ms: 120 ms in a minute. */
const RTT_CREEP = 0.002;
/** What the browser calls these has room for a small picture at most. */
const START: Readonly<Record<string, number>> = { 'slow-2g': 1, '2g': 1, '3g': 2 };

/** `kind`: what the browser takes the network for, `3g`. */
export function newAdaptation(kind: string, network: string, now: number): AdaptationState {
  const start = START[kind] ?? SEND_TOP;
  return {
    send: newLeg(Math.min(start, SEND_TOP), SEND_TOP, now),
    receive: newLeg(Math.min(start, RECEIVE_TOP), RECEIVE_TOP, now),
    network,
    leastRttMs: { send: Infinity, receive: Infinity },
    fullLooks: { send: 0, receive: 0 },
    warmUntil: now + WARM_MS,
    busy: IDLE,
    brokenSince: undefined,
    lookedAt: now,
  };
}

/** Media begins to flow by other transports, or by these again: their estimate says nothing yet. */
export function warm(state: AdaptationState, now: number): AdaptationState {
  return { ...state, warmUntil: now + WARM_MS, fullLooks: { send: 0, receive: 0 } };
}

export function adapt(before: AdaptationState, sample: Sample, now: number): Adapted {
  const isOther = sample.network !== before.network;
  const creep = Math.max(0, now - before.lookedAt) * RTT_CREEP;
  const leastRttMs = {
    send: least(before.leastRttMs.send, sample.send?.rttMs, creep, isOther),
    receive: least(before.leastRttMs.receive, sample.receive?.rttMs, creep, isOther),
  };
  const fullLooks = {
    send: isQueue(sample.send, leastRttMs.send) ? before.fullLooks.send + 1 : 0,
    // What was measured before the last fall is of a queue that has gone since.
    receive:
      isQueue(sample.receive, leastRttMs.receive) && now - (sample.receive?.rttAgeMs ?? 0) > before.receive.fellAt
        ? before.fullLooks.receive + 1
        : 0,
  };
  const busy = watchBusy(before.busy, sample, now);
  const known = { ...before, network: sample.network, leastRttMs, fullLooks, busy, lookedAt: now };
  const signals = {
    send: sample.send && sendSignal(known, sample.send, now),
    receive: sample.receive && receiveSignal(known, sample.receive, now),
  };
  const floors = RECEIVE_RUNGS.map(({ floor }) => floor * Math.max(1, sample.receive?.pictures ?? 1));
  const send = leg(known.send, signals.send, SEND_LADDER, isOther, now);
  const receive = leg(known.receive, signals.receive, { floors, cpuLowest: RECEIVE_CPU_LOWEST }, isOther, now);
  const isBroken = isStarved(send, signals.send) || isStarved(receive, signals.receive);
  const state = { ...known, send, receive, brokenSince: isBroken ? (before.brokenSince ?? now) : undefined };
  return { state, decision: decide(state, sample, now), why: whyOf(state, sample) };
}

function leg(state: LegState, signal: Signal | undefined, ladder: Ladder, isOther: boolean, now: number): LegState {
  const known = isOther ? renew(state, now) : state;
  const next = signal ? stepLeg(known, signal, ladder, now) : known;
  return forget(next, ladder.floors.length - 1, now);
}

/** Even sound is too much for this network; another path does not make a device faster. */
function isStarved({ rung }: LegState, signal: Signal | undefined): boolean {
  return rung === 0 && signal?.trouble !== undefined && signal.trouble !== 'cpu';
}

function least(before: number, measured: number | undefined, creep: number, isOther: boolean): number {
  if (measured === undefined) return before;
  return isOther ? measured : Math.min(measured, before + creep);
}

function isQueue(sample: Pick<SendSample, 'rttMs' | 'loss'> | undefined, leastMs: number): boolean {
  if (sample?.rttMs === undefined) return false;
  return sample.rttMs - leastMs >= (isLossy(sample.loss) ? FULL.queueMs : QUEUE_MS);
}

function isLossy(loss = 0): boolean {
  return loss >= FULL.loss;
}

function sendSignal(state: AdaptationState, sample: SendSample, now: number): Signal {
  const { availableBps, sentBps, pictures } = sample;
  const { rung } = state.send;
  const isWarm = now >= state.warmUntil;
  const isTried = availableBps !== undefined && pictures && sentBps >= TRIED * availableBps;
  const above = SEND_RUNGS[rung + 1];
  const signal = {
    capacity: availableBps === undefined ? undefined : Math.max(availableBps, sentBps * 0.5),
    roomAbove: isTried && above !== undefined && availableBps >= ROOM * above.floor,
    isUsed: true,
    // The server says what it missed of us.
    isOurs: true,
  };
  if (!isWarm) return { ...signal, trouble: undefined };
  const queueMs = (sample.rttMs ?? 0) - state.leastRttMs.send;
  const seen = { loss: sample.loss, queueMs, hasLess: rung > SEND_CPU_LOWEST };
  const trouble = blame(sendTrouble(state, sample, isTried, now), seen, state.busy, now);
  return { ...signal, trouble: trouble ?? (lasts(state.busy.encodesSince, now) ? 'cpu' : undefined) };
}

function sendTrouble(state: AdaptationState, sample: SendSample, isTried: boolean, now: number): Trouble | undefined {
  const { availableBps = Infinity, loss = 0, sendDelayMs = 0 } = sample;
  const isFollowing = now - state.send.roseAt < FOLLOWS_MS;
  if (isTried && !isFollowing && availableBps < (SEND_RUNGS[state.send.rung]?.floor ?? 0)) return 'slow';
  if (state.fullLooks.send >= (isLossy(loss) ? 1 : 2) || sendDelayMs >= SEND_DELAY_MS) return 'queue';
  return loss >= LOSS ? 'loss' : undefined;
}

function receiveSignal(state: AdaptationState, sample: ReceiveSample, now: number): Signal {
  const { receivedBps, loss = 0, concealed = 0, wanted, pictures } = sample;
  const isFull = state.fullLooks.receive >= (isLossy(loss) ? 1 : 2);
  const felt = soundTrouble(concealed, isFull) ?? (isFull ? 'queue' : loss >= LOSS ? 'loss' : undefined);
  const queueMs = (sample.rttMs ?? 0) - state.leastRttMs.receive;
  const seen = { loss, queueMs, hasLess: state.receive.rung > RECEIVE_CPU_LOWEST };
  const trouble = blame(felt, seen, state.busy, now) ?? (lasts(state.busy.decodesSince, now) ? 'cpu' : undefined);
  const isOurs = trouble === 'cpu' || queueMs >= FULL.queueMs;
  return { trouble, capacity: receivedBps, roomAbove: false, isUsed: wanted === 0 || pictures > 0, isOurs };
}

function soundTrouble(concealed: number, isFull: boolean): Trouble | undefined {
  if (concealed >= BROKEN) return 'broken';
  return isFull && concealed >= CONCEALED ? 'sound' : undefined;
}

function decide(state: AdaptationState, sample: Sample, now: number): Decision {
  const send = SEND_RUNGS[state.send.rung]!;
  const receive = RECEIVE_RUNGS[state.receive.rung]!;
  const soundBps = Math.min(soundOf(send.soundBps, send.packetMs, sample.send), sample.asked ?? Infinity);
  return {
    send: {
      layersMax: send.layersMax,
      framesPerSecond: send.framesPerSecond,
      soundBps: Math.max(SOUND_MIN, soundBps),
      // Who asks for thin sound cannot carry its headers either.
      packetMs: sample.asked === undefined ? send.packetMs : 60,
    },
    receive: {
      layersMax: savedLayers(receive.layersMax, sample),
      // Thinner sound is as much work.
      soundBps: state.receive.trouble === 'cpu' ? undefined : receive.soundBps,
    },
    path: state.brokenSince !== undefined && now - state.brokenSince >= BROKEN_MS ? 'other' : 'keep',
  };
}

/** The most that fits with its headers into what there is. */
function soundOf(most: number, packetMs: number, sample: SendSample | undefined): number {
  const { availableBps } = sample ?? {};
  if (availableBps === undefined) return most;
  const fitting = SOUND_BPS.findLast((bps) => bps <= most && bps + soundOverhead(packetMs) <= availableBps);
  return fitting ?? SOUND_MIN;
}

/** Who saves traffic gets the lower layers, however fast the network. */
function savedLayers(layersMax: number | null, { saveData }: Sample): number | null {
  return saveData && layersMax !== null ? Math.min(layersMax, 1) : layersMax;
}

function whyOf({ send, receive }: AdaptationState, { saveData }: Sample): Why {
  return { send: send.trouble, receive: receive.trouble ?? (saveData ? 'save-data' : undefined) };
}
