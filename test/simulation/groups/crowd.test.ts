/**
 * Fifty people at the door within a second, in virtual time: they enter in order, nobody loses a turn, and those inside hear each
 * other throughout. Frames are sealed and opened with the real Keyring; what a Commit costs a processor takes no time here.
 */
import { IdealWorld, referenceLibrary } from '@veilcast/e2ee/testing';
import { Keyring } from '@veilcast/sframe';
import { expect, test } from 'vitest';
import { RoomWorld, type Stay } from './room-world.ts';

const CROWD = 50;
const INSIDE = 3;
const WITHIN_MS = 1_000;
const GOAL_MS = 5_000;
const TICK_MS = 10;
const FRAME_EVERY_MS = 50;
/** As PATIENCE_MS of a receiver (packages/client/src/workers/opening.ts). */
const PATIENCE_MS = 300;
const CODEC = { codec: 'opus', keyFrame: false } as const;

interface Flying {
  readonly to: Stay;
  readonly from: Stay;
  readonly bytes: Uint8Array;
  readonly arrives: number;
}

/** Speech among those inside. */
class Speech {
  lost = 0;
  opened = 0;
  readonly #world: RoomWorld;
  readonly #delayMax: number;
  readonly #rings = new Map<Stay, Keyring>();
  readonly #openers = new Map<string, ReturnType<Keyring['opener']>>();
  #flying: Flying[] = [];
  #installing: Promise<unknown> = Promise.resolve();

  constructor(world: RoomWorld, delayMax: number) {
    this.#world = world;
    this.#delayMax = delayMax;
    world.heldBy = (stay, { epoch, baseKey, selfLeaf, members }, { switchAfterMs }) => {
      const ring = this.#rings.get(stay) ?? new Keyring();
      this.#rings.set(stay, ring);
      const now = world.clock.now();
      const keys = { epoch, baseKey, selfLeaf, members: new Map(members.map(({ leaf, peerId }) => [leaf, peerId])) };
      this.#installing = this.#installing.then(() => ring.install(keys, now, now + switchAfterMs));
    };
  }

  /** Everything that is said and heard in one tick among these. */
  async tick(inside: readonly Stay[]): Promise<void> {
    const now = this.#world.clock.now();
    await this.#installing;
    if (now % 1_000 < TICK_MS) for (const ring of this.#rings.values()) await ring.tick(now);
    if (now % FRAME_EVERY_MS < TICK_MS) for (const from of inside) await this.#say(from, inside, now);
    const due = this.#flying.filter(({ arrives }) => arrives <= now);
    this.#flying = this.#flying.filter(({ arrives }) => arrives > now);
    for (const flying of due) await this.#hear(flying, now);
  }

  async #say(from: Stay, inside: readonly Stay[], now: number): Promise<void> {
    const sealed = await this.#rings
      .get(from)
      ?.sealer(0)
      .seal(Uint8Array.of(1, 2, 3), CODEC, now);
    expect(sealed?.kind).toBe('sealed');
    if (sealed?.kind !== 'sealed') return;
    for (const to of inside) {
      if (to === from) continue;
      const arrives = now + 1 + this.#world.random.int(this.#delayMax);
      this.#flying.push({ to, from, bytes: sealed.bytes, arrives });
    }
  }

  async #hear(flying: Flying, now: number): Promise<void> {
    const { to, from, bytes, arrives } = flying;
    const way = `${from.peerId} ${to.peerId}`;
    const opener = this.#openers.get(way) ?? this.#rings.get(to)?.opener({ peer: from.peerId, streams: [0] });
    if (!opener) throw new Error('nobody is there');
    this.#openers.set(way, opener);
    const outcome = await opener.open(bytes.slice(), { codec: CODEC.codec }, now);
    if (outcome.kind === 'opened') this.opened += 1;
    else if (outcome.reason === 'unknown-key' && now < arrives + PATIENCE_MS) this.#flying.push(flying);
    else this.lost += 1;
  }
}

test.each([15, 40, 80])('a crowd enters, each message up to %i ms on its way', async (delayMax) => {
  const library = referenceLibrary(new IdealWorld(7));
  const world = new RoomWorld(7, () => library, delayMax);
  const { clock } = world;
  const speech = new Speech(world, delayMax);
  const inside: Stay[] = [];
  for (let n = 0; n < INSIDE; n++) {
    const stay = await world.enter(`inside${n}`);
    inside.push(stay);
    await clock.runUntil(() => inside.every(({ place }) => place?.members.length === n + 1));
  }
  await clock.advance(3_000);

  const came: { stay: Stay; at: number; had?: number }[] = [];
  const began = clock.now();
  while (came.length < CROWD || came.some(({ had }) => had === undefined)) {
    if (clock.now() > began + 10 * GOAL_MS) throw new Error('somebody never has keys');
    while (came.length < CROWD && clock.now() >= began + (came.length * WITHIN_MS) / CROWD) {
      came.push({ stay: await world.enter(`comer${came.length}`), at: clock.now() });
    }
    await clock.advance(TICK_MS);
    await speech.tick(inside);
    for (const one of came) if (one.stay.place) one.had ??= clock.now();
  }
  // What was under way, and all the others' last Epoch.
  for (let rest = 0; rest < 2_000; rest += TICK_MS) {
    await clock.advance(TICK_MS);
    await speech.tick(inside);
  }

  expect(speech.lost).toBe(0);
  expect(speech.opened).toBeGreaterThan(1_000 / FRAME_EVERY_MS);
  expect(Math.max(...came.map(({ at, had = Infinity }) => had - at))).toBeLessThanOrEqual(GOAL_MS);
  // By the Epoch that its own Commit made: as the server heard of them.
  const entries = world.trace.filter((line) => / (comer\d+) .*entered by (peer\d+)$/.test(line));
  const own = entries.flatMap((line) => {
    const [, person, peer, by] = /^\d+ (comer\d+) \((peer\d+)\).*entered by (peer\d+)$/.exec(line) ?? [];
    return person !== undefined && peer === by ? [person] : [];
  });
  expect(new Set(own).size).toBe(CROWD);
  expect(own).toHaveLength(CROWD);
  expect([...world.stays.values()].flatMap(({ refused }) => refused)).toEqual([]);
  expect(new Set([...world.stays.values()].map(({ place }) => place?.word)).size).toBe(1);
});
