/**
 * Tells a device that is too busy from a network that is too full: both make packets late, and only a network loses them. What is done about
 * the one does not help with the other: fewer pixels are less work, another path is not. Pure.
 */
import type { Trouble } from './leg.ts';
import type { Sample } from './sample.ts';

export interface BusyState {
  /** Since when, at every look, a picture takes nearly as long to encode as the next one takes to come. */
  readonly encodesSince: number | undefined;
  /** Since when pictures come and are not shown in time. */
  readonly decodesSince: number | undefined;
  /** When the device was seen to be late the last time. */
  readonly at: number;
}

export const IDLE: BusyState = { encodesSince: undefined, decodesSince: undefined, at: -Infinity };

/** A browser that is not busy comes to look and answers within 10 ms; so late it does not get to its packets in time either. */
const LAG_MS = 120;
/** A speaker that ran dry. */
const STARVED = 0.02;
/** Of every second. Encoders are not alone on a processor. */
const ENCODING = 0.8;
/** Of the pictures that came whole. */
const LATE = 0.25;
/** Round trips and estimates are of what was seconds ago. */
const HOLDS_MS = 3_000;
/** Lost here: no device does that while its network is empty. */
const LOST = 0.05;
/** No device is so late, and goes on. ms */
const QUEUE_MS = 1_000;
/** A processor is busy for a moment at every start. */
const LASTS_MS = 5_000;

export function watchBusy(before: BusyState, { send, receive, lagMs }: Sample, now: number): BusyState {
  const encodes = send?.cpu === true || (send?.encoding ?? 0) >= ENCODING;
  const decodes = (receive?.late ?? 0) >= LATE && (receive?.loss ?? 0) < LOST;
  return {
    encodesSince: encodes ? (before.encodesSince ?? now) : undefined,
    decodesSince: decodes ? (before.decodesSince ?? now) : undefined,
    at: encodes || decodes || isLate(receive, lagMs) ? now : before.at,
  };
}

function isLate(receive: Sample['receive'], lagMs: number): boolean {
  return lagMs >= LAG_MS || (receive?.starved ?? 0) >= STARVED;
}

/** Longer than at a start. */
export function lasts(since: number | undefined, now: number): boolean {
  return since !== undefined && now - since >= LASTS_MS;
}

interface Seen {
  readonly loss: number | undefined;
  /** Of the round trip, above that of the empty path. */
  readonly queueMs: number;
  /** There is less work to be had: what is wrong still is the network's. */
  readonly hasLess: boolean;
}

/** Whose trouble it is. */
export function blame(trouble: Trouble | undefined, seen: Seen, { at }: BusyState, now: number): Trouble | undefined {
  if (trouble === undefined || trouble === 'loss' || now - at > HOLDS_MS) return trouble;
  const isOfNetwork = (seen.loss ?? 0) >= LOST || seen.queueMs >= QUEUE_MS;
  // An estimate that is low says so of itself, and goes on saying it when there is nothing left to take off the processor.
  const isBelieved = trouble === 'slow' && !seen.hasLess;
  return isOfNetwork || isBelieved ? trouble : 'cpu';
}
