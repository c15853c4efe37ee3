/** Two sides, each with its own reducer, over a line that keeps the order, in random histories. */
import * as fc from 'fast-check';
import type { DirectStep } from '@veilcast/e2ee/said';
import type { PeerId, Source } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import { reduceDirect, wakeAt } from './decide.ts';
import { LEAVE_MAX_MS, NOT_DIRECT, type DirectEvent, type DirectState } from './model.ts';

const ADA = 'ada' as PeerId;
const BOB = 'bob' as PeerId;
const CLEO = 'cleo' as PeerId;
const SENT: readonly Source[] = ['microphone', 'camera'];

/** One of the two, and what the shell would have of it. */
class Side {
  state: DirectState = NOT_DIRECT;
  readonly inbox: { readonly by: PeerId; readonly say: DirectStep }[] = [];
  live: number | undefined;
  connected = false;
  broken = false;
  prefer: 'direct' | 'server' = 'server';
  rest: readonly Source[] = [];
  shows: readonly Source[] = [];
  /** The last that came here. */
  heardShows: { attempt: number; sources: readonly Source[] } = { attempt: 0, sources: [] };
  heardWish = false;
  leftAt: number | undefined;
  tries = 0;

  constructor(readonly self: PeerId) {}
}

class World {
  now = 0;
  third = false;
  linked = true;
  readonly ada = new Side(ADA);
  readonly bob = new Side(BOB);

  other(side: Side): Side {
    return side === this.ada ? this.bob : this.ada;
  }

  take(side: Side, event: DirectEvent): void {
    const other = this.other(side);
    const before = side.state;
    const { state, effects } = reduceDirect(before, event, this.now);
    side.state = state;
    if (before.path.kind !== 'leaving' && state.path.kind === 'leaving') side.leftAt = this.now;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'say':
          expect(effect.to).toEqual({ self: side.self, other: other.self });
          other.inbox.push({ by: side.self, say: effect.say });
          break;
        case 'offer':
        case 'answer':
          // Law: nothing is opened against the wish of either, and one connection at a time.
          expect(side.state.willing).toBe(true);
          if (effect.kind === 'offer') expect(side.heardWish).toBe(true);
          expect(side.live).toBeUndefined();
          side.live = effect.attempt;
          side.connected = side.broken = false;
          side.tries += 1;
          if (effect.kind === 'offer')
            other.inbox.push({ by: side.self, say: { step: 'offer', attempt: effect.attempt, sdp: 'o' } });
          else other.inbox.push({ by: side.self, say: { step: 'answer', attempt: effect.attempt, sdp: 'a' } });
          break;
        case 'take':
          break;
        case 'prefer':
          side.prefer = effect.way;
          break;
        case 'rest':
          side.rest = effect.sources;
          break;
        case 'close': {
          expect(side.live).toBe(effect.attempt);
          // Law: make before break. Nobody closes what somebody shows, unless it carries nothing or it was waited long enough.
          const isShown = other.live === effect.attempt && other.shows.length > 0;
          const waited = side.leftAt !== undefined && this.now - side.leftAt >= LEAVE_MAX_MS;
          if (isShown) expect(side.broken || waited, 'closed what is shown').toBe(true);
          side.live = undefined;
          side.connected = false;
          // The shell shows from the server what it can show from nowhere else.
          side.shows = [];
          break;
        }
      }
    }
    this.check(side);
  }

  check(side: Side): void {
    const { path } = side.state;
    expect(side.live !== undefined).toBe(path.kind !== 'none');
    // Law: no path is made or kept against a wish that was heard.
    if (path.kind === 'opening' || path.kind === 'open') expect(side.state.willing && side.heardWish).toBe(true);
    if (path.kind === 'none' || path.kind === 'leaving') expect(side.rest).toEqual([]);
    if (side.rest.length > 0 && path.kind !== 'none') {
      // Law: the server is spared only what the other said that it has directly.
      expect(side.heardShows.attempt).toBe(path.attempt);
      for (const source of side.rest) expect(side.heardShows.sources).toContain(source);
    }
    if (path.kind === 'none' || path.kind === 'leaving') expect(side.prefer).toBe('server');
  }

  room(side: Side): void {
    const here = new Set([ADA, BOB, ...(this.third ? [CLEO] : [])]);
    const pair = this.third ? undefined : { self: side.self, other: this.other(side).self };
    this.take(side, { kind: 'room', pair, here });
  }

  deliver(side: Side): boolean {
    const message = side.inbox.shift();
    if (!message) return false;
    const { say } = message;
    if (say.step === 'wish') side.heardWish = say.open;
    if (say.step === 'shows') side.heardShows = { attempt: say.attempt, sources: say.sources };
    const { path, failures } = side.state;
    const isOld = 'attempt' in say && say.step !== 'offer' && say.attempt !== side.live;
    this.take(side, { kind: 'heard', ...message });
    // Law: what belongs to another try changes nothing.
    if (isOld) expect({ path: side.state.path, failures: side.state.failures }).toEqual({ path, failures });
    return true;
  }

  /** Both have it, and the answer was taken. */
  connect(side: Side): void {
    const { live } = side;
    if (!this.linked || live === undefined || this.other(side).live !== live || side.connected) return;
    side.connected = true;
    this.take(side, { kind: 'connected', attempt: live });
  }

  cut(side: Side): void {
    if (this.linked || side.live === undefined) return;
    side.broken = true;
    this.take(side, { kind: 'broken', attempt: side.live });
  }

  /** What the shell does where the one way or the other brings something. */
  show(side: Side): void {
    if (side.live === undefined) return;
    const sources = side.prefer === 'direct' && side.connected ? SENT : [];
    if (sources.length === side.shows.length) return;
    side.shows = sources;
    this.take(side, { kind: 'shows', attempt: side.live, sources });
  }

  pass(ms: number): void {
    this.now += ms;
    for (const side of [this.ada, this.bob]) this.take(side, { kind: 'wake' });
  }

  /** Everything comes, and time passes to whatever is next. */
  settle(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const side of [this.ada, this.bob]) {
        this.room(side);
        while (this.deliver(side));
        this.connect(side);
        this.cut(side);
        this.show(side);
      }
      const next = [this.ada, this.bob].flatMap((side) => wakeAt(side.state) ?? []);
      const isQuiet = this.ada.inbox.length + this.bob.inbox.length === 0;
      if (isQuiet && next.length > 0) this.pass(Math.max(1, Math.min(...next) - this.now));
    }
  }
}

type Command = readonly [what: string, side: 'ada' | 'bob', amount: number];
const command: fc.Arbitrary<Command> = fc.tuple(
  fc.constantFrom(
    'deliver',
    'deliver',
    'deliver',
    'connect',
    'connect',
    'show',
    'show',
    'cut',
    'room',
    'room',
    'pass',
    'third',
    'link',
    'willing',
    'settle',
    'settle',
  ),
  fc.constantFrom('ada' as const, 'bob' as const),
  fc.integer({ min: 1, max: 9_000 }),
);

function run(world: World, [what, name, amount]: Command): void {
  const side = world[name];
  if (what === 'deliver') world.deliver(side);
  else if (what === 'connect') world.connect(side);
  else if (what === 'show') world.show(side);
  else if (what === 'cut') world.cut(side);
  else if (what === 'room') world.room(side);
  else if (what === 'pass') world.pass(amount);
  else if (what === 'third') world.third = !world.third;
  else if (what === 'settle') world.settle(1);
  else if (what === 'link') world.linked = amount > 3_000;
  else world.take(side, { kind: 'willing', willing: amount > 2_000 });
}

describe('random histories of two', () => {
  it('keep the laws, and end directly where both would and can', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 120 }), fc.boolean(), fc.boolean(), (commands, bothWill, isOpen) => {
        const world = isOpen ? open() : new World();
        for (const one of commands) run(world, one);
        world.third = false;
        world.linked = true;
        world.take(world.ada, { kind: 'willing', willing: true });
        world.take(world.bob, { kind: 'willing', willing: bothWill });
        world.settle(40);
        const { ada, bob } = world;
        if (bothWill) {
          expect([ada.state.path.kind, bob.state.path.kind]).toEqual(['open', 'open']);
          expect(ada.live).toBe(bob.live);
          expect([ada.rest, bob.rest]).toEqual([SENT, SENT]);
        } else {
          expect([ada.state.path.kind, bob.state.path.kind]).toEqual(['none', 'none']);
          expect([ada.rest, bob.rest]).toEqual([[], []]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never open anything while one of the two would not', () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 80 }),
        fc.constantFrom('ada' as const, 'bob' as const),
        (commands, hidden) => {
          const world = new World();
          for (const one of commands) if (one[0] !== 'willing' || one[1] !== hidden) run(world, one);
          world.settle(20);
          expect(world.ada.tries + world.bob.tries).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });
});

/** Both open, and all shown from there. */
function open(): World {
  const world = new World();
  for (const side of [world.ada, world.bob]) world.take(side, { kind: 'willing', willing: true });
  world.settle(10);
  expect([world.ada.rest, world.bob.rest]).toEqual([SENT, SENT]);
  return world;
}

it('a third who comes: both send to the server at once, and the path stays while anybody shows something from it', () => {
  const world = open();
  const { ada, bob } = world;
  world.third = true;
  world.room(ada);
  expect(ada.rest).toEqual([]);
  world.show(ada);
  expect(ada.live).toBe(1);
  while (world.deliver(bob));
  // Bob hears it of Ada before the Room tells him.
  expect(bob.rest).toEqual([]);
  expect(bob.live).toBe(1);
  world.show(bob);
  expect(bob.live).toBeUndefined();
  while (world.deliver(ada));
  expect(ada.live).toBeUndefined();
});

it('a path that is open there and not yet here is not closed over what is shown there', () => {
  const world = new World();
  const { ada, bob } = world;
  for (const side of [ada, bob]) world.take(side, { kind: 'willing', willing: true });
  for (const side of [ada, bob, ada, bob]) {
    world.room(side);
    while (world.deliver(side));
  }
  world.connect(bob);
  world.show(bob);
  world.take(bob, { kind: 'willing', willing: false });
  while (world.deliver(ada));
  expect(ada.live).toBe(1);
  world.show(bob);
  while (world.deliver(bob));
  while (world.deliver(ada));
  expect([ada.live, bob.live]).toEqual([undefined, undefined]);
});

it('what the other said before it heard that we go back does not rest us again', () => {
  const world = new World();
  const { ada, bob } = world;
  for (const side of [ada, bob]) world.take(side, { kind: 'willing', willing: true });
  for (const side of [ada, bob, ada, bob, ada]) {
    world.room(side);
    while (world.deliver(side));
  }
  for (const side of [ada, bob]) world.connect(side);
  world.show(bob);
  world.third = true;
  world.room(ada);
  expect(ada.state.path.kind).toBe('leaving');
  while (world.deliver(ada));
  expect(ada.rest).toEqual([]);
});

it('a path that breaks again and again is tried ever more seldom, and one that held is forgiven', () => {
  const world = open();
  const waits: number[] = [];
  for (let round = 0; round < 9; round++) {
    const tries = world.ada.tries;
    world.linked = false;
    for (const side of [world.ada, world.bob]) world.cut(side);
    world.linked = true;
    const since = world.now;
    for (let step = 0; step < 40 && world.ada.tries === tries; step++) world.settle(1);
    waits.push(world.now - since);
    world.settle(3);
  }
  for (const [at, wait] of waits.entries()) if (at > 0) expect(wait).toBeGreaterThanOrEqual(waits[at - 1]);
  expect(waits.at(-1)).toBeGreaterThanOrEqual(300_000);
  world.now += 100_000;
  world.linked = false;
  world.cut(world.ada);
  expect(world.ada.state.failures).toBe(1);
});

it('what belongs to another try is passed over', () => {
  const { ada } = open();
  for (const say of [
    { step: 'back', attempt: 7, failed: false },
    { step: 'shows', attempt: 7, sources: [] },
    { step: 'answer', attempt: 7, sdp: 'a' },
  ] as const)
    expect(reduceDirect(ada.state, { kind: 'heard', by: BOB, say }, 0)).toEqual({ state: ada.state, effects: [] });
});
