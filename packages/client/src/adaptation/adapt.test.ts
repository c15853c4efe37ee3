import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adapt, newAdaptation, warm, type AdaptationState, type Adapted } from './adapt.ts';
import { CALM_MS, DRAIN_MS, RISE_MS } from './leg.ts';
import { RECEIVE_RUNGS, SEND_RUNGS } from './rungs.ts';
import type { ReceiveSample, Sample, SendSample } from './sample.ts';

const share = fc.double({ min: 0, max: 1, noNaN: true });
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const rate = fc.integer({ min: 0, max: 8_000_000 });
const rtt = maybe(fc.integer({ min: 1, max: 4_000 }));

const send: fc.Arbitrary<SendSample> = fc.record({
  sentBps: rate,
  availableBps: maybe(rate),
  rttMs: rtt,
  loss: maybe(share),
  sendDelayMs: maybe(fc.integer({ min: 0, max: 2_000 })),
  pictures: fc.boolean(),
  cpu: fc.boolean(),
  encoding: maybe(fc.double({ min: 0, max: 2, noNaN: true })),
});
const receive: fc.Arbitrary<ReceiveSample> = fc.record({
  receivedBps: rate,
  rttMs: rtt,
  rttAgeMs: fc.nat(3_000),
  loss: maybe(share),
  concealed: maybe(share),
  wanted: fc.nat(30),
  pictures: fc.nat(30),
  starved: maybe(share),
  late: maybe(share),
});
const sample: fc.Arbitrary<Sample> = fc.record({
  send: maybe(send),
  receive: maybe(receive),
  network: fc.constantFrom('', 'wifi', 'cellular'),
  saveData: fc.boolean(),
  lagMs: fc.integer({ min: 0, max: 2_000 }),
  asked: maybe(fc.integer({ min: 6_000, max: 64_000 })),
});
/** Looks, and the time before each. */
const history = fc.array(fc.tuple(fc.integer({ min: 200, max: 3_000 }), sample), { minLength: 1, maxLength: 120 });

interface Step extends Adapted {
  readonly before: AdaptationState;
  readonly sample: Sample;
  readonly now: number;
}

function replay(looks: readonly (readonly [number, Sample])[], kind = ''): Step[] {
  let state = newAdaptation(kind, '', 0);
  let now = 0;
  return looks.map(([after, one]) => {
    now += after;
    const before = deepFreeze(state);
    const adapted = adapt(before, deepFreeze(one), now);
    ({ state } = adapted);
    return { ...adapted, before, sample: one, now };
  });
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}

const WAYS = ['send', 'receive'] as const;
const TOPS = { send: SEND_RUNGS.length - 1, receive: RECEIVE_RUNGS.length - 1 };

describe('whatever is measured', () => {
  it('sound goes on, between 6 and 64 kb/s, and no thinner than was asked for or than fits', () => {
    fc.assert(
      fc.property(history, fc.constantFrom('', '2g', '3g', '4g'), (looks, kind) => {
        for (const { decision, sample: one } of replay(looks, kind)) {
          expect(decision.send.soundBps).toBeGreaterThanOrEqual(6_000);
          expect(decision.send.soundBps).toBeLessThanOrEqual(Math.max(6_000, one.asked ?? 64_000));
        }
      }),
    );
  });

  it('it is the same when it is asked again, and changes nothing that it was given', () => {
    fc.assert(
      fc.property(history, (looks) => {
        expect(replay(looks)).toEqual(replay(looks));
      }),
    );
  });

  it('a way goes up one rung at a time, never in trouble, and never sooner than the pauses say', () => {
    fc.assert(
      fc.property(history, (looks) => {
        const rose = { send: -Infinity, receive: -Infinity };
        for (const { before, state, now } of replay(looks)) {
          for (const way of WAYS) {
            const [from, to] = [before[way], state[way]];
            if (to.rung <= from.rung) continue;
            expect(to.rung).toBe(from.rung + 1);
            expect(now - rose[way]).toBeGreaterThanOrEqual(RISE_MS);
            expect(now - from.calmSince).toBeGreaterThanOrEqual(to.rung <= from.known ? DRAIN_MS : CALM_MS);
            rose[way] = now;
          }
        }
      }),
    );
  });

  it('who is not at the top is told why, and who is at the top is told nothing but to save', () => {
    fc.assert(
      fc.property(history, (looks) => {
        for (const { state, why, sample: one } of replay(looks)) {
          expect(why.send !== undefined).toBe(state.send.rung < TOPS.send);
          expect(why.receive !== undefined).toBe(state.receive.rung < TOPS.receive || one.saveData);
        }
      }),
    );
  });

  it('nothing that is not measured moves a way', () => {
    fc.assert(
      fc.property(history, (looks) => {
        for (const { before, state, sample: one } of replay(looks)) {
          if (one.network !== before.network) continue;
          for (const way of WAYS) if (one[way] === undefined) expect(state[way].rung).toBe(before[way].rung);
        }
      }),
    );
  });
});

const QUIET: SendSample = {
  sentBps: 1_000_000,
  availableBps: 3_000_000,
  rttMs: 40,
  loss: 0,
  sendDelayMs: 5,
  pictures: true,
  cpu: false,
  encoding: 0.3,
};
const HEARD: ReceiveSample = {
  receivedBps: 1_000_000,
  rttMs: 40,
  rttAgeMs: 0,
  loss: 0,
  concealed: 0,
  wanted: 1,
  pictures: 1,
  starved: 0,
  late: 0,
};
const sampleOf = (one: Partial<Sample>): Sample => ({
  send: undefined,
  receive: undefined,
  network: '',
  saveData: false,
  lagMs: 10,
  asked: undefined,
  ...one,
});
const seconds = (count: number, one: Partial<Sample>) =>
  Array.from({ length: count }, () => [1_000, sampleOf(one)] as const);

const heard = (concealed: number, receivedBps: number, rttMs = 40) => ({
  receive: { ...HEARD, concealed, receivedBps, rttMs },
});

describe('a way', () => {
  it('falls at the first look at which the sound is broken, to nothing but sound', () => {
    const steps = replay([
      ...seconds(10, { receive: HEARD }),
      ...seconds(1, { receive: { ...HEARD, concealed: 0.4 } }),
    ]);
    expect(steps.at(-1)?.decision.receive).toEqual({ layersMax: null, soundBps: 16_000 });
  });

  it.each([
    [290_000, [null, 0, 0, 0]],
    [50_000, [null, null, null, null]],
  ])('gives sound all the room until the queue is empty, then has what fits into %i b/s', (receivedBps, layers) => {
    const steps = replay([
      ...seconds(10, { receive: HEARD }),
      ...seconds(1, heard(0.4, receivedBps, 140)),
      ...seconds(3, heard(0, 40_000)),
    ]);
    expect(steps.slice(-4).map(({ decision }) => decision.receive.layersMax)).toEqual(layers);
  });

  it('does not see a queue in what was measured before it fell', () => {
    const full = { ...HEARD, rttMs: 400, loss: 0.3, receivedBps: 290_000 };
    const held = [1_000, 2_000].flatMap((rttAgeMs) => seconds(1, { receive: { ...full, rttAgeMs, loss: 0 } }));
    const fell = [...seconds(10, { receive: HEARD }), ...seconds(1, { receive: full })];
    const falls = replay([...fell, ...held]).map(({ state }) => state.receive.fellAt);
    expect(falls.slice(-3)).toEqual([11_000, 11_000, 11_000]);
    expect(replay([...fell, ...held]).at(-1)?.state.receive.calmSince).toBe(11_000);
  });

  it('does not take for its own, twice, what may be somebody else’s: no queue, and everybody is heard badly', () => {
    const once = [...seconds(1, heard(0.4, 290_000)), ...seconds(7, heard(0, 40_000))];
    const rungs = replay([...seconds(10, { receive: HEARD }), ...once, ...once, ...once]).map(
      ({ state }) => state.receive.rung,
    );
    expect([10, 18, 26].map((at) => rungs[at])).toEqual([0, 0, 0]);
    // The third time it waits before it tries more than what came then has room for.
    expect([13, 21, 29].map((at) => rungs[at])).toEqual([2, 2, 1]);
  });

  it('goes back at once to where it was well, after a try that failed', () => {
    const slow = { send: { ...QUIET, sentBps: 200_000, availableBps: 250_000 } };
    const steps = replay([
      ...seconds(10, { send: QUIET }),
      ...seconds(15, slow),
      // More is tried, and a queue says that there is less than nothing.
      ...seconds(2, { send: { ...slow.send, availableBps: 60_000, rttMs: 400, loss: 0.3 } }),
      ...seconds(6, slow),
    ]);
    const rungs = steps.map(({ state }) => state.send.rung);
    expect(rungs.slice(10, 26)).toContain(3);
    expect(Math.min(...rungs.slice(25))).toBe(0);
    expect(rungs.slice(27).indexOf(2)).toBeOneOf([2, 3, 4]);
  });

  it('falls at once to what the estimate carries', () => {
    const steps = replay([
      ...seconds(10, { send: QUIET }),
      ...seconds(1, { send: { ...QUIET, sentBps: 300_000, availableBps: 200_000 } }),
    ]);
    expect(steps.at(-1)?.decision.send).toMatchObject({ layersMax: 0, soundBps: 24_000, packetMs: 60 });
    expect(steps.at(-1)?.why.send).toBe('slow');
  });

  it('does not believe an estimate that nothing was sent to try', () => {
    const idle = { ...QUIET, sentBps: 40_000, availableBps: 80_000, pictures: false };
    expect(replay(seconds(30, { send: idle })).at(-1)?.state.send.rung).toBe(TOPS.send);
  });

  it('does not take one late answer for a queue, and takes two', () => {
    const late = { send: { ...QUIET, rttMs: 400 }, receive: { ...HEARD, rttMs: 400 } };
    const rungs = (count: number) =>
      replay([...seconds(10, { send: QUIET, receive: HEARD }), ...seconds(count, late)]).at(-1)?.state;
    for (const way of WAYS) {
      expect(rungs(1)?.[way].rung).toBe(TOPS[way]);
      expect(rungs(2)?.[way].rung).toBeLessThan(TOPS[way]);
    }
  });

  it('keeps its smallest layer when only the processor is busy, and says so', () => {
    const steps = replay(seconds(60, { send: { ...QUIET, cpu: true } }));
    expect(steps.at(-1)?.decision.send.layersMax).toBe(0);
    expect(steps.at(-1)?.decision.send.framesPerSecond).toBeUndefined();
    expect(steps.some(({ why }) => why.send === 'cpu')).toBe(true);
  });

  it('stays where what it allows has not come', () => {
    const broken = seconds(1, { receive: { ...HEARD, concealed: 0.4 } });
    const nothing = seconds(60, { receive: { ...HEARD, receivedBps: 30_000, pictures: 0 } });
    expect(replay([...broken, ...nothing]).at(-1)?.state.receive.rung).toBe(1);
  });

  it('tries again at once in another network', () => {
    const slow = seconds(120, { send: { ...QUIET, sentBps: 50_000, availableBps: 50_000, rttMs: 400, loss: 0.2 } });
    const calm = { send: { ...QUIET, sentBps: 30_000, availableBps: 60_000 } };
    const before = replay([...seconds(5, { send: QUIET }), ...slow, ...seconds(1, calm)]);
    expect(before.at(-1)?.state.send.rung).toBe(0);
    const after = replay([...seconds(5, { send: QUIET }), ...slow, ...seconds(4, { ...calm, network: 'wifi' })]);
    expect(after.at(-1)?.state.send.rung).toBeGreaterThan(0);
  });

  it('asks for another path when even sound is too much for long', () => {
    const broken = seconds(12, { receive: { ...HEARD, concealed: 0.4, loss: 0.4 } });
    expect(replay(broken).map(({ decision }) => decision.path)).toEqual([
      ...Array(8).fill('keep'),
      ...Array(4).fill('other'),
    ]);
  });

  it('does not judge by an estimate that has just begun again', () => {
    const low = sampleOf({ send: { ...QUIET, sentBps: 200_000, availableBps: 250_000 } });
    const state = replay(seconds(10, { send: QUIET })).at(-1)!.state;
    expect(adapt(state, low, 11_000).state.send.rung).toBeLessThan(TOPS.send);
    const anew = adapt(warm(state, 11_000), low, 11_000).state;
    expect(anew.send.rung).toBe(TOPS.send);
    expect(adapt(anew, low, 15_000).state.send.rung).toBeLessThan(TOPS.send);
  });

  it('gives those who save traffic the lower layers', () => {
    expect(replay(seconds(1, { receive: HEARD, saveData: true })).at(-1)?.decision.receive.layersMax).toBe(1);
  });
});
