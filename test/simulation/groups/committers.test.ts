/** Who commits when, in virtual time: removals in spite of committers that hang, one Commit for many, closed lids, rotation. */
import { IdealWorld, referenceLibrary } from '@veilcast/e2ee/testing';
import { LEAVE_WINDOW_MS, REMOVAL_PATIENCE_MS } from '@veilcast/delivery';
import { describe, expect, test } from 'vitest';
import { RoomWorld, type Stay } from './room-world.ts';

/** The longest way of a message, and so of an event, a Commit, its answer and what others are told. */
const WAY_MS = 151;

async function roomOf(count: number, seed = 5): Promise<{ world: RoomWorld; stays: Stay[] }> {
  const library = referenceLibrary(new IdealWorld(seed));
  const world = new RoomWorld(seed, () => library);
  const stays: Stay[] = [];
  for (let n = 0; n < count; n++) {
    const stay = await world.enter(`p${n}`);
    stays.push(stay);
    await world.clock.runUntil(() => stay.place !== undefined);
  }
  await world.clock.runUntil(() => together(stays));
  return { world, stays };
}

function together(stays: readonly Stay[]): boolean {
  const words = new Set(stays.map(({ place }) => place?.word));
  return words.size === 1 && !words.has(undefined);
}

const without = (stays: readonly Stay[], gone: Stay): boolean =>
  together(stays) && stays[0]?.place?.members.includes(gone.peerId) === false;

describe('a removal', () => {
  test.each([0, 1, 2, 3])('comes in time when %i committers hang', async (hanging) => {
    const { world, stays } = await roomOf(8);
    const victim = stays[7] as Stay;
    const waiting = stays.slice(hanging, 7);
    for (const stay of stays.slice(0, hanging)) stay.link.freeze(30_000);
    const before = world.clock.now();
    world.kick(victim);
    await world.clock.runUntil(() => without(waiting, victim));
    const took = world.clock.now() - before;
    expect(took).toBeGreaterThanOrEqual(hanging * REMOVAL_PATIENCE_MS);
    // Asked, committed, told.
    expect(took).toBeLessThanOrEqual(hanging * REMOVAL_PATIENCE_MS + 3 * WAY_MS);
    // Who hung follows when it is back; its own Commit has lost, and nothing else.
    await world.clock.runUntil(() => without(stays.slice(0, 7), victim), 60_000);
    expect(stays.flatMap(({ refused }) => refused).filter((reason) => reason !== 'EPOCH_CONFLICT')).toEqual([]);
  });

  test('takes all who leave within a moment, and costs one Epoch', async () => {
    const { world, stays } = await roomOf(8);
    const [epoch] = [world.delivery.epoch];
    for (const stay of stays.slice(3, 7)) {
      world.leave(stay);
      await world.clock.advance(LEAVE_WINDOW_MS / 5);
    }
    const rest = [...stays.slice(0, 3), ...stays.slice(7)];
    await world.clock.runUntil(() => rest.every(({ place }) => place?.members.length === 4));
    expect(world.delivery.epoch).toBe(epoch + 1);
    expect(together(rest)).toBe(true);
  });
});

describe('a lid that is closed for ten minutes', () => {
  const LID_MS = 600_000;

  test('with the old Peer still there: the member follows what it missed, in order', async () => {
    const { world, stays } = await roomOf(5);
    const sleeper = stays[2] as Stay;
    sleeper.link.freeze(LID_MS);
    for (let minute = 0; minute < 8; minute++) {
      await world.enter(`late${minute}`);
      await world.clock.advance(60_000);
    }
    await world.clock.runUntil(() => together([...world.stays.values()]), LID_MS);
    expect(sleeper.heard).toEqual([]);
    expect(world.stays.get('p2')).toBe(sleeper);
    expect(sleeper.place?.members).toHaveLength(13);
  });

  test('with the old Peer gone: another Peer comes, the old one is removed, and nobody is twice', async () => {
    const { world, stays } = await roomOf(5);
    const sleeper = stays[2] as Stay;
    sleeper.link.freeze(LID_MS);
    await world.clock.advance(LID_MS);
    world.comeBack(sleeper);
    await world.clock.runUntil(() => world.stays.get('p2') !== sleeper && together([...world.stays.values()]));
    await world.clock.runUntil(() => [...world.stays.values()].every(({ place }) => place?.members.length === 5));
    const back = world.stays.get('p2') as Stay;
    expect(back.place?.members).toContain(back.peerId);
    expect(back.place?.members).not.toContain(sleeper.peerId);
  });
});

test('every member renews its keys in fifteen minutes, and no two at once', async () => {
  const { world, stays } = await roomOf(12);
  const before = world.delivery.epoch;
  const refused = stays.map((stay) => stay.refused.length);
  await world.clock.advance(900_000);
  expect(world.delivery.epoch - before).toBe(12);
  expect(stays.map((stay) => stay.refused.length)).toEqual(refused);
  expect(together(stays)).toBe(true);
  const by = world.trace.filter((line) => line.includes('(peer1) is in') && line.includes('rotated by'));
  expect(new Set(by.map((line) => line.split(' by ')[1])).size).toBe(12);
});
