/**
 * A bottleneck with a queue, and who sends into it: sound at a fixed rate, pictures as a browser or a server with an estimate of its own would.
 * It closes the loop around the controller: what that allows makes the queue, the queue makes the next sample. Nothing in it is left to chance.
 */
import { adapt, newAdaptation, type AdaptationState, type Decision, type Why } from '../adapt.ts';
import { soundOverhead } from '../rungs.ts';
import type { Sample } from '../sample.ts';

export interface Stretch {
  readonly seconds: number;
  /** What the bottleneck carries. */
  readonly kbps: number;
  /** Of the path without its queue. */
  readonly rttMs: number;
  /** What the queue holds before it drops. */
  readonly queueMs: number;
  /** Lost whatever is sent, 0 to 1. */
  readonly loss: number;
  /** How late this device is with everything at its worst, which is every second second. */
  readonly lateMs?: number;
}

export interface Second {
  readonly at: number;
  readonly kbps: number;
  readonly rung: number;
  readonly hasPicture: boolean;
  readonly sentKbps: number;
  /** Share of the sound that did not arrive. */
  readonly soundLost: number;
  readonly queueMs: number;
  readonly decision: Decision;
  readonly why: Why;
}

const TICK_MS = 100;
/** Each layer of a camera and those below it, bits a second. */
const LAYERS = [200_000, 900_000, 2_900_000] as const;
/** Browsers encode no less while a picture is on. */
const PICTURE_MIN = 30_000;
/** A queue of so much is congestion to an estimator that watches delays. */
const OVERUSE_MS = 60;
const PROBE_EVERY_MS = 3_000;
const VOICE = { soundBps: 40_000, packetMs: 20 } as const;

interface Estimate {
  bps: number;
  cutAt: number;
  probeAt: number;
}

/** Runs a trace through one leg: a second for each look of the controller. */
export function run(leg: 'send' | 'receive', trace: readonly Stretch[]): Second[] {
  let state: AdaptationState = newAdaptation('', '', 0);
  let decision = adapt(
    state,
    { send: undefined, receive: undefined, network: '', saveData: false, lagMs: 0, asked: undefined },
    0,
  ).decision;
  const estimate: Estimate = { bps: 1_000_000, cutAt: -Infinity, probeAt: 0 };
  const seconds: Second[] = [];
  let queue = 0;
  let now = 0;
  let allowedBefore = 0;
  for (const stretch of trace) {
    const capacity = stretch.kbps * 1_000;
    queue = Math.min(queue, (capacity * stretch.queueMs) / 1_000);
    for (let second = 0; second < stretch.seconds; second++) {
      const lateMs = (stretch.lateMs ?? 0) * (second % 2);
      const sums = { sent: 0, arrived: 0, dropped: 0, worst: 0 };
      const voice = leg === 'send' ? decision.send : { ...VOICE, ...asked(decision) };
      const sound = voice.soundBps + soundOverhead(voice.packetMs);
      const wanted = wantedOf(leg, decision, estimate.bps);
      const allowed = allowedOf(leg, decision);
      // More is allowed than is known to fit: then an estimator probes, at once and again and again.
      if (allowed > allowedBefore || (allowed > estimate.bps && now >= estimate.probeAt + PROBE_EVERY_MS))
        estimate.probeAt = now + 500;
      allowedBefore = allowed;
      for (let tick = 0; tick < 1_000 / TICK_MS; tick++) {
        now += TICK_MS;
        const picture = wanted === 0 ? 0 : Math.min(wanted, Math.max(PICTURE_MIN, estimate.bps - sound));
        const offered = ((sound + picture) * TICK_MS) / 1_000;
        const drained = Math.min(queue + offered, (capacity * TICK_MS) / 1_000);
        const room = (capacity * stretch.queueMs) / 1_000;
        const dropped = Math.max(0, queue + offered - drained - room);
        queue = queue + offered - drained - dropped;
        sums.sent += offered;
        sums.arrived += drained * (1 - stretch.loss);
        sums.dropped += dropped + (offered - dropped) * stretch.loss;
        sums.worst = Math.max(sums.worst, (queue / capacity) * 1_000);
        follow(estimate, {
          now,
          capacity,
          // What is read late seems to have come late.
          delayMs: (queue / capacity) * 1_000 + lateMs,
          deliveredBps: (drained * 1_000) / TICK_MS,
          loss: stretch.loss,
        });
      }
      const loss = sums.dropped / sums.sent;
      const rttMs = stretch.rttMs + (queue / capacity) * 1_000 + (stretch.lateMs ?? 0);
      const measured = { ...sums, loss, rttMs, lateMs, availableBps: estimate.bps, hasPicture: wanted > 0 };
      const adapted = adapt(state, sampleOf(leg, measured), now);
      ({ state, decision } = adapted);
      seconds.push({
        at: now / 1_000,
        kbps: stretch.kbps,
        rung: state[leg].rung,
        hasPicture: wanted > 0,
        sentKbps: sums.sent / 1_000,
        soundLost: loss,
        queueMs: sums.worst,
        decision,
        why: adapted.why,
      });
    }
  }
  return seconds;
}

/** Who speaks does as asked, a round trip later. */
function asked({ receive }: Decision): { readonly soundBps?: number; readonly packetMs?: 60 } {
  return receive.soundBps === undefined ? {} : { soundBps: receive.soundBps, packetMs: 60 };
}

function allowedOf(leg: 'send' | 'receive', { send, receive }: Decision): number {
  const { layersMax } = leg === 'send' ? send : receive;
  if (layersMax === null) return 0;
  return LAYERS[Math.min(layersMax, 2)]!;
}

function wantedOf(leg: 'send' | 'receive', decision: Decision, estimateBps: number): number {
  const allowed = allowedOf(leg, decision);
  if (leg === 'send' || allowed === 0) return allowed;
  // A server sends whole layers that fit its estimate, of which it takes off nothing for sound.
  return (
    LAYERS.filter((bps) => bps <= allowed).findLast((bps) => bps <= estimateBps) ?? (estimateBps >= 60_000 ? 60_000 : 0)
  );
}

interface Felt {
  readonly now: number;
  readonly capacity: number;
  readonly delayMs: number;
  readonly deliveredBps: number;
  readonly loss: number;
}

/** Down to 85 % of what arrives when the delay grows, up by 8 % a second otherwise, no higher than one and a half times what is sent; a probe finds more at once. */
function follow(estimate: Estimate, { now, capacity, delayMs, deliveredBps, loss }: Felt): void {
  if (delayMs > OVERUSE_MS) {
    if (now - estimate.cutAt >= 300) estimate.bps = Math.min(estimate.bps, 0.85 * deliveredBps);
    estimate.cutAt = now;
    return;
  }
  if (loss > 0.1) estimate.bps *= 1 - (0.5 * loss * TICK_MS) / 1_000;
  const most = 1.5 * deliveredBps + 10_000;
  if (estimate.bps < most) estimate.bps = Math.min(most, estimate.bps * (1 + 0.08 * (TICK_MS / 1_000)));
  if (now >= estimate.probeAt && now < estimate.probeAt + TICK_MS)
    estimate.bps = Math.max(estimate.bps, Math.min(3 * estimate.bps, 0.9 * capacity));
}

interface Measured {
  readonly sent: number;
  readonly arrived: number;
  readonly loss: number;
  readonly rttMs: number;
  readonly lateMs: number;
  readonly availableBps: number;
  readonly hasPicture: boolean;
}

/** Of sound that is read so late this share was made up meanwhile, a second's. */
const LATE_SHARE = 1 / 1_000;

function sampleOf(leg: 'send' | 'receive', measured: Measured): Sample {
  const { sent, arrived, loss, rttMs, lateMs, availableBps, hasPicture } = measured;
  const rest = { network: '', saveData: false, lagMs: 10 + lateMs, asked: undefined };
  if (leg === 'send') {
    const network = { sentBps: sent, availableBps, rttMs, loss, sendDelayMs: lateMs };
    const send = { ...network, pictures: hasPicture, cpu: false, encoding: lateMs > 0 ? 0.9 : 0.3 };
    return { ...rest, send, receive: undefined };
  }
  // In-band error correction makes up for one packet of twenty.
  const concealed = Math.max(0, loss - 0.05) + lateMs * LATE_SHARE;
  return {
    ...rest,
    send: undefined,
    receive: {
      receivedBps: arrived,
      rttMs,
      rttAgeMs: 0,
      loss,
      concealed,
      wanted: 1,
      pictures: hasPicture ? 1 : 0,
      starved: 0,
      late: 0,
    },
  };
}
