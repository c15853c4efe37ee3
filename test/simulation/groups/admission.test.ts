/** A crowd that is let in together while somebody cheats: it comes in all the same, within a time that is known. */
import { ADMISSION_PATIENCE_MS, ADMISSIONS_FAILED_MAX } from '@veilcast/delivery';
import { IdealWorld, referenceLibrary } from '@veilcast/e2ee/testing';
import { expect, test } from 'vitest';
import { RoomWorld, type Stay } from './room-world.ts';

const DELAY_MAX_MS = 20;
/** Of one entry by ticket: there and back, twice. */
const TURN_MS = 4 * DELAY_MAX_MS;
const CROWD = 12;
/** Before somebody who was never told anything asks for another place (standing.ts). */
const ENTER_AGAIN_MS = 30_000;

async function open(seed: number): Promise<{ world: RoomWorld; stays: Stay[] }> {
  const library = referenceLibrary(new IdealWorld(seed));
  const world = new RoomWorld(seed, () => library, DELAY_MAX_MS);
  const stays: Stay[] = [];
  for (let n = 0; n < 3; n++) {
    stays.push(await world.enter(`inside${n}`));
    await world.clock.runUntil(() => stays.every(({ place }) => place?.members.length === n + 1));
  }
  return { world, stays };
}

/** Until all of them are in one Epoch. Returns how long it took, ms. */
async function come(world: RoomWorld, stays: Stay[], patience: number): Promise<number> {
  const began = world.clock.now();
  for (let n = 0; n < CROWD; n++) stays.push(await world.enter(`comer${n}`));
  const together = (): boolean =>
    new Set(stays.map(({ place }) => place?.word)).size === 1 &&
    stays.every(({ place }) => place?.members.length === stays.length);
  while (!together() && world.clock.now() - began <= patience) await world.clock.advance(10);
  expect(together(), world.trace.slice(-20).join('\n')).toBe(true);
  return world.clock.now() - began;
}

const admitted = (world: RoomWorld): number => world.trace.filter((line) => line.includes('admitted by')).length;

test('all are well: in a few Commits', async () => {
  const { world, stays } = await open(1);
  await come(world, stays, 2_000);
  expect(admitted(world)).toBeGreaterThan(0);
  expect(world.delivery.epoch).toBeLessThan(CROWD);
  expect(stays.flatMap(({ refused }) => refused)).toEqual([]);
});

test('nobody lets anybody in: they are waited for as often as is said, and all enter by ticket', async () => {
  const { world, stays } = await open(2);
  world.bend = (_, event) => (event.name === 'groupAdd' ? [] : [event]);
  const took = await come(world, stays, ADMISSIONS_FAILED_MAX * ADMISSION_PATIENCE_MS + CROWD * TURN_MS + 1_000);
  expect(took).toBeGreaterThan(ADMISSIONS_FAILED_MAX * ADMISSION_PATIENCE_MS);
  expect(admitted(world)).toBe(0);
});

test('a Welcome that opens nothing: they give the place up and enter by ticket', async () => {
  const { world, stays } = await open(3);
  world.bend = (_, event) =>
    event.name === 'groupWelcome' ? [{ ...event, body: { ...event.body, welcome: new Uint8Array(9) } }] : [event];
  await come(world, stays, 10_000);
  expect(stays.flatMap(({ refused }) => refused)).toContain('undecodable');
});

test('a Welcome that the server keeps back: they ask for another place by themselves', async () => {
  const { world, stays } = await open(4);
  world.bend = (_, event) => (event.name === 'groupWelcome' ? [] : [event]);
  await come(world, stays, ENTER_AGAIN_MS + 15_000);
});
