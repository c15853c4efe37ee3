/** Random histories of people who come and go: who is in has the keys, who is not has none. Replay one by its seed. */
import type { PeerId } from '@veilcast/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Authority, library, newAuthority, person, reasonOf, seeded } from './fixture.ts';
import type { GroupState, PendingCommit } from './group.ts';

const SEEDS = 40;
const STEPS = 12;

let authority: Authority;
beforeAll(async () => {
  authority = await newAuthority();
});

interface World {
  readonly pick: (below: number) => number;
  readonly size: number;
  states: GroupState[];
  /** States of those who are out, as they were when they were removed. */
  out: GroupState[];
  groupInfo: Uint8Array;
  people: number;
}

/** Every fifth history grows up to 4 … 8 people, the others to 2 or 3: Commits cost by members. */
function sizeOf(seed: number): number {
  return seed % 5 === 0 ? 4 + ((seed / 5) % 5) : 2 + (seed % 2);
}

async function start(seed: number): Promise<World> {
  const made = await library.createGroup(await person(authority, 'p0'));
  return {
    pick: seeded(seed),
    size: sizeOf(seed),
    states: [made.state],
    out: [],
    groupInfo: made.groupInfo,
    people: 1,
  };
}

async function deliver(world: World, from: PeerId, commit: PendingCommit): Promise<void> {
  const after = [];
  for (const state of world.states) {
    if (state.self === from) continue;
    if (commit.removes.includes(state.self) && state.self !== from) {
      await expectOut(world, state, commit);
      continue;
    }
    const applied = await library.applyCommit(state, commit.commit);
    expect(applied.removed).toEqual(commit.removes);
    after.push(library.adopt(state, applied.next));
  }
  const current = world.states.find((state) => state.self === from);
  after.push(current === undefined ? commit.next : library.adopt(current, commit.next));
  world.states = after;
  world.groupInfo = commit.groupInfo;
}

/** The Commit that removes a member tells it so, and gives it no key of what follows. */
async function expectOut(world: World, state: GroupState, commit: PendingCommit): Promise<void> {
  const applied = await library.applyCommit(state, commit.commit);
  expect(applied.removed).toContain(state.self);
  const gone = applied.next;
  expect(await reasonOf(library.epochKeys(gone))).toBe('removed');
  expect(await reasonOf(library.seal(gone, new Uint8Array(1)))).toBe('removed');
  world.out.push(state);
}

async function join(world: World): Promise<void> {
  const self = await person(authority, `p${world.people++}`);
  const before = world.states[world.pick(world.states.length)];
  const secret = before && (await library.seal(before, new TextEncoder().encode('before you came')));
  const joined = await library.joinGroup(self, world.groupInfo);
  await deliver(world, self.peerId, joined);
  if (secret === undefined) return;
  expect(await reasonOf(library.open(joined.next, secret.sealed))).toBe('wrong-epoch');
}

/** Two at once, by the only one who may: nobody else can, and where there are gaps nobody at all. */
async function admit(world: World): Promise<void> {
  const selves = await Promise.all([0, 1].map((n) => person(authority, `p${world.people + n}`)));
  const offers = await Promise.all(selves.map((self) => library.offer(self)));
  const packages = offers.map(({ keyPackage }) => keyPackage);
  const keys = await Promise.all(world.states.map((state) => library.epochKeys(state)));
  const isFull = Math.max(...keys.map(({ selfLeaf }) => selfLeaf)) === keys.length - 1;
  const may = world.states.filter((_, n) => isFull && keys[n]?.selfLeaf === keys.length - 1);
  for (const state of world.states) {
    if (!may.includes(state)) expect(await reasonOf(library.commitAdmission(state, packages))).toBe('not-allowed');
  }
  const [keeper] = may;
  if (keeper === undefined) return join(world);
  world.people += 2;
  const made = await library.commitAdmission(keeper, packages);
  await deliver(world, keeper.self, made);
  for (const [n, self] of selves.entries()) {
    const offer = offers[n];
    if (!offer || !made.welcome) throw new Error('nobody is let in');
    world.states.push(await library.joinByWelcome(self, offer, { groupInfo: made.groupInfo, welcome: made.welcome }));
  }
}

async function remove(world: World): Promise<void> {
  const committer = world.states[world.pick(world.states.length)];
  const others = world.states.filter((state) => state !== committer);
  const many = 1 + world.pick(Math.min(2, others.length));
  const victims = others.toSorted(() => world.pick(2) - 0.5).slice(0, many);
  if (committer === undefined) return;
  const commit = await library.commitRemoval(
    committer,
    victims.map(({ self }) => self),
  );
  await deliver(world, committer.self, commit);
}

async function expectAgreement(world: World): Promise<void> {
  const keys = await Promise.all(world.states.map((state) => library.epochKeys(state)));
  const shared = keys.map(({ epoch, baseKey, authenticator, members }) => ({ epoch, baseKey, authenticator, members }));
  for (const one of shared) expect(one).toEqual(shared[0]);
  expect(shared[0]?.baseKey).toHaveLength(64);
  expect(keys.map(({ selfLeaf, members }) => members.find(({ leaf }) => leaf === selfLeaf)?.peerId)).toEqual(
    world.states.map(({ self }) => self),
  );
  expect(shared[0]?.members).toHaveLength(world.states.length);
}

async function expectTalk(world: World): Promise<void> {
  const index = world.pick(world.states.length);
  const speaker = world.states[index];
  if (speaker === undefined) return;
  const said = new TextEncoder().encode(`at ${speaker.epoch}`);
  const { next, sealed } = await library.seal(speaker, said);
  world.states[index] = library.adopt(speaker, next);
  for (const [i, state] of world.states.entries()) {
    if (i === index) continue;
    const opened = await library.open(state, sealed);
    expect([opened.sender, opened.plaintext]).toEqual([speaker.self, said]);
    world.states[i] = library.adopt(state, opened.next);
  }
  for (const state of world.out.slice(-3)) expect(await reasonOf(library.open(state, sealed))).toBe('wrong-epoch');
}

describe('histories', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i', async (seed) => {
    const world = await start(seed);
    const bases = new Set<string>();
    for (let step = 0; step < STEPS; step++) {
      const grow = world.states.length < 2 || (world.states.length < world.size && world.pick(5) < 3);
      const together = world.size > 3 && world.pick(2) === 0;
      await (grow ? (together ? admit(world) : join(world)) : remove(world));
      await expectAgreement(world);
      if (step % 4 === 3) await expectTalk(world);
      const [state] = world.states;
      if (state !== undefined) bases.add(Buffer.from((await library.epochKeys(state)).baseKey).toString('hex'));
    }
    expect(bases.size).toBe(STEPS);
  });
});
