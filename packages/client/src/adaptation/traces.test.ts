import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RECEIVE_CPU_LOWEST, RECEIVE_RUNGS, SEND_CPU_LOWEST, SEND_RUNGS, soundOverhead } from './rungs.ts';
import { run, type Second, type Stretch } from './testing/link.ts';

const traceOf = (name: string) =>
  JSON.parse(readFileSync(new URL(`traces/${name}.json`, import.meta.url), 'utf8')) as Stretch[];

const TOP = { send: SEND_RUNGS.length - 1, receive: RECEIVE_RUNGS.length - 1 };

/** Mean share of the sound that is lost, at worst over so many seconds; but for the two in which the network has just got worse. */
function worstSound(seconds: readonly Second[], over: number): number {
  const worse = (at: number) => at > 0 && seconds[at].kbps < seconds[at - 1].kbps;
  const losses = seconds.flatMap(({ soundLost }, at) => (worse(at) || worse(at - 1) ? [] : [soundLost]));
  return Math.max(...losses.map((_, at) => mean(losses.slice(at, at + over))));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

const falls = (seconds: readonly Second[]) =>
  seconds.filter(({ rung }, at) => at > 0 && rung < seconds[at - 1].rung).length;

/** Between two points of time, s. */
const between = (seconds: readonly Second[], from: number, to: number) =>
  seconds.filter(({ at }) => at > from && at <= to);

const NAMES = ['step-300', 'step-50', 'ramp', 'loss-bursts', 'bufferbloat', '3g', 'satellite', 'slow-for-long'];
const LEGS = ['send', 'receive'] as const;
const ALL = NAMES.flatMap((name) => LEGS.map((leg) => ({ name, leg })));

const cache = new Map<string, Second[]>();
function outcome(name: string, leg: 'send' | 'receive'): Second[] {
  const known = cache.get(name + leg) ?? run(leg, traceOf(name));
  cache.set(name + leg, known);
  return known;
}

describe('on every trace', () => {
  it.each(ALL)('sound is never starved: $name, $leg', ({ name, leg }) => {
    const seconds = outcome(name, leg);
    const path = Math.max(...traceOf(name).map(({ loss }) => loss));
    expect(worstSound(seconds, 5)).toBeLessThan(path + 0.1);
    expect(mean(seconds.map(({ soundLost }) => soundLost))).toBeLessThan(0.03);
    for (const { decision } of seconds) expect(decision.send.soundBps).toBeGreaterThanOrEqual(6_000);
  });

  it.each(ALL)('there are few falls: $name, $leg', ({ name, leg }) => {
    // One for each time that the network gets worse, and the tries of a slow time, which get rarer.
    const worse = traceOf(name).filter(({ kbps }, at, all) => at > 0 && kbps < all[at - 1].kbps).length;
    const slow = Math.max(...traceOf(name).map(({ seconds }) => seconds));
    expect(falls(outcome(name, leg))).toBeLessThanOrEqual(2 * worse + 8 + slow / 30);
  });
});

describe.each(LEGS)('the way that is %s', (leg) => {
  it.each([
    ['step-300', 300],
    ['step-50', 50],
  ])('sends what fits within 3 s: %s', (name, kbps) => {
    const seconds = outcome(name, leg);
    const [sent, rung] = [mean(between(seconds, 23, 26).map(({ sentKbps }) => sentKbps)), seconds[23].rung];
    expect(sent).toBeLessThanOrEqual(kbps * 1.05);
    expect(rung).toBeLessThan(TOP[leg]);
  });

  it('has only sound at 50 kb/s, but for short tries', () => {
    const slow = between(outcome('step-50', leg), 24, 80);
    expect(slow.filter(({ hasPicture }) => hasPicture).length).toBeLessThan(slow.length / 3);
    for (const { decision } of slow.filter(({ hasPicture }) => !hasPicture).slice(2)) {
      const { soundBps, packetMs } =
        leg === 'send' ? decision.send : { packetMs: 60, soundBps: decision.receive.soundBps! };
      expect(soundBps + soundOverhead(packetMs)).toBeLessThan(50_000);
    }
  });

  it.each(['step-300', 'step-50', 'bufferbloat'])('has its picture back in 10 s, all of it in 20: %s', (name) => {
    const seconds = outcome(name, leg);
    expect(between(seconds, 89, 90)[0]?.hasPicture).toBe(true);
    expect(between(seconds, 99, 100)[0]?.rung).toBe(TOP[leg]);
  });

  it('does not take distance for a queue', () => {
    expect(falls(outcome('satellite', leg))).toBe(0);
  });

  it('does not take the last picture away for bursts of loss', () => {
    for (const { rung } of outcome('loss-bursts', leg)) expect(rung).toBeGreaterThan(0);
  });

  it('leaves no queue that is heard, however large the buffer', () => {
    expect(mean(between(outcome('bufferbloat', leg), 25, 80).map(({ queueMs }) => queueMs))).toBeLessThan(150);
  });

  it('tries ever more rarely what does not fit', () => {
    const seconds = outcome('slow-for-long', leg);
    const early = falls(between(seconds, 20, 140));
    expect(falls(between(seconds, 500, 620))).toBeLessThan(Math.max(3, early / 2));
  });
});

describe.each(LEGS)('a device that is too busy, %s', (leg) => {
  const busy = between(run(leg, traceOf('busy')), 21, 80);

  it('is not taken for a network: pictures get smaller and go on, no thinner sound is asked for, the path is kept', () => {
    expect(busy.every(({ hasPicture }) => hasPicture)).toBe(true);
    expect(busy.every(({ decision }) => decision.path === 'keep' && decision.receive.soundBps === undefined)).toBe(
      true,
    );
    expect(Math.min(...busy.map(({ rung }) => rung))).toBe(leg === 'send' ? SEND_CPU_LOWEST : RECEIVE_CPU_LOWEST);
    expect(new Set(busy.flatMap(({ why }) => why[leg] ?? []))).toEqual(new Set(['cpu']));
  });

  it('hides no network that loses: only sound at 50 kb/s, in 5 s', () => {
    const seconds = run(leg, traceOf('busy-and-slow'));
    const slow = between(seconds, 25, 80);
    expect(slow.filter(({ hasPicture }) => hasPicture).length).toBeLessThan(slow.length / 3);
    expect(seconds.at(-1)?.rung).toBe(TOP[leg]);
  });
});
