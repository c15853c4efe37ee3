import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pulse, SILENT_MS } from './pulse.ts';

const LOOK_MS = 200;

/** Looks at a path that answers at these times, while we send; the times at which it was suspected. */
function suspected(answers: readonly number[], until: number, sends = true): number[] {
  const pulse = new Pulse();
  const found: number[] = [];
  for (let now = 0; now <= until; now += LOOK_MS) {
    const received = answers.filter((at) => at <= now).length;
    if (pulse.observe(now, { sent: sends ? now : 0, received })) found.push(now);
  }
  return found;
}

const every = (ms: number, until: number): number[] =>
  Array.from({ length: Math.ceil(until / ms) }, (_, at) => at * ms);

describe('a pulse', () => {
  it('is missed soon after a lively path falls silent, once', () => {
    const found = suspected(every(50, 5_000), 20_000);
    expect(found).toHaveLength(1);
    expect(found[0]).toBeLessThanOrEqual(4_950 + SILENT_MS + LOOK_MS);
  });

  it('is missed again when the path came back and fell silent again', () => {
    const again = every(50, 5_000).map((at) => at + 10_000);
    expect(suspected([...every(50, 5_000), ...again], 30_000)).toHaveLength(2);
  });

  it('of a path that makes long pauses is given time', () => {
    expect(suspected(every(1_000, 10_000), 10_800)).toEqual([]);
    expect(suspected(every(1_000, 10_000), 20_000)).toHaveLength(1);
  });

  it('is not missed where nothing is sent: then nobody has to answer', () => {
    expect(suspected(every(50, 5_000), 20_000, false)).toEqual([]);
  });

  it('is not missed on a path that is hardly known', () => {
    expect(suspected(every(50, 1_000), 20_000)).toEqual([]);
  });

  it('is never missed while answers come within the pause that is allowed', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: SILENT_MS - LOOK_MS - 1 }), { minLength: 10, maxLength: 200 });
    fc.assert(
      fc.property(gaps, (pauses) => {
        let at = 0;
        const answers = pauses.map((pause) => (at += pause));
        expect(suspected(answers, at)).toEqual([]);
      }),
    );
  });
});
