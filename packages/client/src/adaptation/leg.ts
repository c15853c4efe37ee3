/**
 * One way of a connection, up or down, as a climber on rungs: down at once and as far as is needed, up one rung at a time, after calm,
 * and the more seldom the longer it has been slow. So it cannot flap: in a steady network the tries get rarer by themselves. Pure.
 */

export type Trouble = 'slow' | 'queue' | 'loss' | 'sound' | 'broken' | 'cpu';

export interface Signal {
  readonly trouble: Trouble | undefined;
  /** Bits a second that the leg is known to carry; undefined: nobody knows. */
  readonly capacity: number | undefined;
  /** What is wrong was seen on this leg itself: what others send badly arrives here as badly. */
  readonly isOurs: boolean;
  /** The rung above fits by an estimate that was really tried. */
  readonly roomAbove: boolean;
  /** What this rung allows is there: calm without it says nothing of the next. */
  readonly isUsed: boolean;
}

export interface Ladder {
  /** Bits a second of each rung. */
  readonly floors: readonly number[];
  /** The rung below which a processor has next to nothing less to do. */
  readonly cpuLowest: number;
}

export interface LegState {
  readonly rung: number;
  /** The highest that fits: nothing was wrong there for long, or what came while it was too much says so. */
  readonly known: number;
  /** Falls of late that may have been somebody else's. */
  readonly doubts: number;
  /** Why it is not at the top; undefined: it is. */
  readonly trouble: Trouble | undefined;
  readonly fellAt: number;
  readonly roseAt: number;
  /** Since when nothing was wrong. */
  readonly calmSince: number;
  /** Since when it is not at the top. */
  readonly slowSince: number | undefined;
}

/** After a fall what is measured is still of before. */
const SETTLE_MS = 1_500;
/** So long nothing must be wrong before anything is tried. */
export const CALM_MS = 2_000;
/** Where it is known to fit, a queue need only drain: until the next look, which may be a little early. */
export const DRAIN_MS = 900;
/** Between two rungs up. A server or browser that holds back needs about that to use the last one. */
export const RISE_MS = 1_800;
/** After a fall: an eighth of the time that it has been slow, so that a slow minute costs at most 7.5 s more of it, and an hour some fifty tries. */
const PAUSE_SHARE = 1 / 8;
const PAUSE_MIN_MS = 4_000;
const PAUSE_MAX_MS = 60_000;
/** So long nothing was wrong on a rung: it fits. Longer than it takes a queue to fill. */
const KNOWN_MS = 5_000;
/** So often what may be somebody else's is taken for that: then it is ours after all. */
const DOUBTS_MAX = 2;
/** Of what was measured while something was wrong; the rest drains the queue. */
const USABLE = 0.85;
/** Loss without a queue is no sign of too much: the last picture stays. */
const LOSS_LOWEST = 1;

export function newLeg(rung: number, top: number, now: number): LegState {
  const slowSince = rung < top ? now : undefined;
  const trouble: Trouble | undefined = rung < top ? 'slow' : undefined;
  return { rung, known: rung, doubts: 0, trouble, fellAt: -Infinity, roseAt: -Infinity, calmSince: now, slowSince };
}

export function stepLeg(state: LegState, signal: Signal, ladder: Ladder, now: number): LegState {
  const { floors } = ladder;
  return signal.trouble === undefined ? rise(state, signal, floors.length - 1, now) : fall(state, signal, ladder, now);
}

function fall(state: LegState, { trouble, capacity, isOurs }: Signal, ladder: Ladder, now: number): LegState {
  // An estimate says itself how far to go; what is only felt may be of before the last fall.
  const isSettling = trouble !== 'slow' && trouble !== 'broken' && now - state.fellAt < SETTLE_MS;
  const rung = isSettling ? state.rung : Math.min(state.rung, target(state.rung, trouble, capacity, ladder));
  const isFall = rung < state.rung;
  const doubts = isFall && !isOurs ? Math.min(DOUBTS_MAX + 1, state.doubts + 1) : state.doubts;
  // What is wrong on a rung that was known to fit is a network that has become worse; above it, it was a try.
  const isDisproved = state.rung <= state.known && (isOurs || doubts > DOUBTS_MAX);
  const known = isDisproved ? Math.min(state.known, fitting(state.rung, capacity, ladder.floors)) : state.known;
  const uneasy = { ...state, known, doubts, calmSince: now };
  return isFall ? { ...uneasy, rung, trouble, fellAt: now, slowSince: state.slowSince ?? now } : uneasy;
}

function target(
  rung: number,
  trouble: Trouble | undefined,
  capacity: number | undefined,
  { floors, cpuLowest }: Ladder,
): number {
  // Words go before pictures: all room is theirs until they are heard again.
  if (trouble === 'broken') return 0;
  if (trouble === 'loss') return Math.max(Math.min(rung, LOSS_LOWEST), rung - 1);
  if (trouble === 'cpu') return Math.max(Math.min(rung, cpuLowest), rung - 1);
  return fitting(rung, trouble === 'slow' && capacity !== undefined ? capacity / USABLE : capacity, floors);
}

/** Below this rung, the highest that fits into what came. */
function fitting(rung: number, capacity = Infinity, floors: readonly number[]): number {
  const highest = floors.findLastIndex((floor) => floor <= capacity * USABLE);
  return Math.max(0, Math.min(rung - 1, highest));
}

function rise(before: LegState, { roomAbove, isUsed }: Signal, top: number, now: number): LegState {
  const { rung, fellAt, roseAt, calmSince, slowSince } = before;
  const fits = rung > before.known && isUsed && now - Math.max(calmSince, roseAt) >= KNOWN_MS;
  const state = fits ? { ...before, known: rung } : before;
  if (rung === top || (rung > 0 && !isUsed)) return state;
  // Back to where it fits is no try.
  const isBack = rung < state.known;
  const isCalm = now - calmSince >= (isBack ? DRAIN_MS : CALM_MS) && now - roseAt >= RISE_MS;
  if (!isCalm || (!isBack && !roomAbove && now - fellAt < pauseOf(state, now))) return state;
  const isTop = rung + 1 === top;
  return {
    ...state,
    rung: rung + 1,
    roseAt: now,
    trouble: isTop ? undefined : state.trouble,
    // Falling again at once goes on with the same slow time: only a top that holds ends it.
    slowSince,
  };
}

function pauseOf({ slowSince }: LegState, now: number): number {
  return Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MIN_MS, (now - (slowSince ?? now)) * PAUSE_SHARE));
}

/** So long at the top, and it was slow no more. */
const HELD_MS = 10_000;

/** To be called at every look: forgets a slow time that is over. */
export function forget(state: LegState, top: number, now: number): LegState {
  const isOver =
    state.rung === top && state.slowSince !== undefined && now - Math.max(state.roseAt, state.calmSince) >= HELD_MS;
  return isOver ? { ...state, doubts: 0, slowSince: undefined } : state;
}

/** Another network: what was learnt of the last one holds nobody back. */
export function renew(state: LegState, now: number): LegState {
  return state.slowSince === undefined ? state : { ...state, doubts: 0, slowSince: now, fellAt: -Infinity };
}
