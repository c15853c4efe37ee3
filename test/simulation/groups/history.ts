/** One life of a Room by its seed: fifty steps of what people and networks do, then calm, then what must hold. */
import type { GroupLibrary } from '@veilcast/e2ee';
import { decode, IdealWorld, referenceLibrary, type ReferenceHeld } from '@veilcast/e2ee/testing';
import { leaksOf, watched } from './keys.ts';
import { RoomWorld, type LibraryOf, type Stay } from './room-world.ts';

/** By then everything that can heal has healed, ms. */
const CALM_MS = 120_000;
const LID_MS = 600_000;
/** With a library whose work takes real time: how often it is waited for, and for how long there is calm. */
const SLOW_STEP_MS = 100;
const SLOW_CALM_MS = 90_000;

const DEEDS = [
  ...(['enter', 'enter', 'enter', 'enter', 'enter', 'enter', 'leave', 'leaveTwo', 'kick', 'vanish', 'cut'] as const),
  ...(['stall', 'stall', 'lid', 'say', 'say', 'long', 'quarter'] as const),
  ...Array.from({ length: 8 }, () => 'nothing' as const),
];

const GOING: ReadonlySet<string> = new Set(['leave', 'leaveTwo', 'kick', 'vanish', 'cut']);

export interface Outcome {
  readonly broken: readonly string[];
  readonly trace: readonly string[];
  readonly epochs: number;
  /** How often each deed was done and each thing refused. */
  readonly counts: ReadonlyMap<string, number>;
}

export interface Length {
  readonly steps: number;
  readonly crowd: number;
}

/** With the reference group: what anybody could come to know is looked at too. */
export async function live(seed: number, length: Length): Promise<Outcome> {
  const ideal = new IdealWorld(seed);
  const library = referenceLibrary(ideal);
  const kept = new Map<string, ReferenceHeld[]>();
  const { world, broken } = await play(seed, length, (person) => {
    const own = kept.get(person) ?? [];
    kept.set(person, own);
    return watched(library, own);
  });
  const wire = world.wire.map(decode);
  for (const [person, states] of kept) broken.push(...leaksOf(ideal, person, states, wire, world.members));
  return outcomeOf(world, broken);
}

/** With any library. Its own work takes real time, which the virtual clock does not see: it is waited for. */
export async function liveWith(library: GroupLibrary, seed: number, length: Length): Promise<Outcome> {
  const { world, broken } = await play(seed, length, () => library, true);
  return outcomeOf(world, broken);
}

function outcomeOf(world: RoomWorld, broken: readonly string[]): Outcome {
  const counts = new Map<string, number>();
  for (const line of world.trace) {
    const what = line.replace(/^\d+ /, '').replaceAll(/peer\d+|p\d+|\d+ [0-9a-f]{6}/g, '·');
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return { broken, trace: world.trace, epochs: world.members.size, counts };
}

async function play(seed: number, { steps, crowd }: Length, libraryOf: LibraryOf, slowly = false) {
  const world = new RoomWorld(seed, libraryOf);
  let people = 0;
  const pass = (ms: number): Promise<void> => (slowly ? passSlowly(world, ms) : world.clock.advance(ms));
  const anyone = (): Stay | undefined => {
    const all = [...world.stays.values()];
    return all.length === 0 ? undefined : world.random.pick(all);
  };
  await world.enter(`p${people++}`);
  for (let step = 0; step < steps; step++) {
    const drawn = world.random.int(120) === 0 ? 'restart' : world.random.pick(DEEDS);
    // An empty Room is met, and not for long.
    const deed = GOING.has(drawn) && world.stays.size < 3 && world.random.int(4) > 0 ? 'enter' : drawn;
    const stay = anyone();
    if (deed === 'restart') world.restart();
    if (deed === 'enter' && world.stays.size < crowd) await world.enter(`p${people++}`);
    if (deed === 'leave' && stay) world.leave(stay);
    if (deed === 'leaveTwo') for (const one of [...world.stays.values()].slice(0, 2)) world.leave(one);
    if (deed === 'kick' && stay) world.kick(stay);
    if (deed === 'vanish' && stay) world.vanish(stay);
    if (deed === 'cut' && stay) world.comeBack(stay);
    if (deed === 'stall') stay?.link.freeze(300 + world.random.int(4000));
    if (deed === 'lid') stay?.link.freeze(slowly ? SLOW_CALM_MS / 3 : LID_MS);
    if (deed === 'say') void stay?.membership.say(Uint8Array.of(step)).catch(() => undefined);
    const long = { long: 30_000, quarter: slowly ? 30_000 : 900_000 }[deed as string] ?? 0;
    await pass(long + world.random.int(500));
  }
  world.say('calm');
  await pass(slowly ? SLOW_CALM_MS : LID_MS + CALM_MS);
  return { world, broken: await faultsOf(world) };
}

/** Time passes with a library whose work takes real time. */
export async function passSlowly(world: RoomWorld, ms: number): Promise<void> {
  for (const until = world.clock.now() + ms; world.clock.now() < until;) {
    await world.clock.advance(Math.min(SLOW_STEP_MS, until - world.clock.now()));
    for (const stay of world.stays.values()) await Promise.race([stay.membership.rest(), soon()]);
  }
}

/** A chance for a library that works in other threads; a member that waits for an answer rests only when time passes. */
function soon(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
}

/** Everybody who is here is in one Epoch with the same keys and the same people, and the delivery service thinks so too. */
async function faultsOf(world: RoomWorld): Promise<string[]> {
  const broken: string[] = [];
  const stays = [...world.stays.values()];
  const peers = stays.map(({ peerId }) => peerId).toSorted();
  for (const { person, place } of stays) if (!place) broken.push(`${person} has no keys`);
  if (new Set(stays.map(({ place }) => place?.word)).size > 1) broken.push('they have different keys');
  if (new Set(stays.map(({ place }) => place?.epoch)).size > 1) broken.push('they are in different Epochs');
  for (const { person, place } of stays) {
    const members = place?.members.toSorted().join();
    if (place && members !== peers.join())
      broken.push(`${person} is in a group of ${members}, here are ${peers.join()}`);
  }
  const { members, queue, ticket, gone, rejoining, epoch } = world.delivery;
  if (
    members
      .map(({ peerId }) => peerId)
      .toSorted()
      .join() !== peers.join()
  )
    broken.push('the service counts others');
  if (stays.some(({ place }) => place && place.epoch !== epoch)) broken.push('the service is in another Epoch');
  if (queue.length + gone.length + rejoining.length > 0 || ticket) broken.push('somebody still waits');
  for (const { kind } of world.warnings) {
    if (kind === 'fork' || kind === 'ghost') broken.push(`a ${kind} was seen where there is none`);
  }
  return broken;
}
