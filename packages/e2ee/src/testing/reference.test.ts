/** The reference group and the one on ts-mls live through the same histories and answer alike, refusals included. */
import type { PeerId, RoomId } from '@veilcast/protocol';
import { seededRandom, type SeededRandom } from '@veilcast/testkit';
import { describe, expect, it } from 'vitest';
import type { GroupLibrary, GroupSelf, GroupState, Offer, PendingCommit } from '../group.ts';
import { reasonOf } from '../fixture.ts';
import { tsMlsLibrary } from '../ts-mls.ts';
import { IdealWorld } from './ideal.ts';
import { derivable } from './leaks.ts';
import { decode } from './reference-model.ts';
import { referenceLibrary } from './reference.ts';

const SEEDS = 16;
const STEPS = 14;
const ROOM = 'demo' as RoomId;
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** One library and its people. Every deed returns what happened, in words that do not depend on the library. */
class Chronicle {
  readonly #library: GroupLibrary;
  readonly #random: SeededRandom;
  readonly #selves = new Map<string, GroupSelf>();
  #states: GroupState[] = [];
  #gone: GroupState[] = [];
  #infos: Uint8Array[] = [];
  #commits: Uint8Array[] = [];
  #said: Uint8Array[] = [];
  #people = 0;

  constructor(library: GroupLibrary, seed: number) {
    this.#library = library;
    this.#random = seededRandom(seed);
  }

  async #self(name: string): Promise<GroupSelf> {
    const known = this.#selves.get(name);
    if (known) return known;
    const made: GroupSelf = {
      roomId: ROOM,
      peerId: name as PeerId,
      leafKey: await this.#library.generateLeafKey(),
      credential: name,
      validate: async (credential) => (credential.startsWith('x') ? undefined : { peerId: credential as PeerId }),
    };
    this.#selves.set(name, made);
    return made;
  }

  async begin(): Promise<string> {
    const { state, groupInfo } = await this.#library.createGroup(await this.#self(`p${this.#people++}`));
    this.#states = [state];
    this.#infos = [groupInfo];
    return this.#tell();
  }

  async step(): Promise<string> {
    const deeds = [
      () => this.#enter(`p${this.#people++}`),
      () => this.#enter(`p${this.#people++}`),
      () => this.#enter(this.#random.pick(this.#states).self),
      () => this.#enter('x-stranger'),
      () => this.#admit(1 + this.#random.int(3)),
      () => this.#admit(2, 'x-stranger'),
      () => this.#badWelcome(),
      () => this.#remove(1),
      () => this.#remove(2),
      () => this.#remove(0),
      () => this.#race(),
      () => this.#talk(),
      () => this.#old(),
      () => this.#nonsense(),
    ];
    const what = this.#random.int(deeds.length);
    return `${what}: ${await deeds[what]?.()} / ${await this.#tell()}`;
  }

  async #deliver(made: PendingCommit, from: PeerId): Promise<string> {
    const told: string[] = [];
    const after: GroupState[] = [];
    for (const state of this.#states) {
      if (state.self === from) {
        if (made.next.epoch > 0 && !made.removes.includes(from)) after.push(this.#library.adopt(state, made.next));
        else told.push(`${state.self} ${await reasonOf(this.#library.applyCommit(state, made.commit))}`);
        continue;
      }
      const applied = await this.#library.applyCommit(state, made.commit);
      const { by, external, added, removed } = applied;
      told.push(JSON.stringify([state.self, by, external, added, removed]));
      if (removed.includes(state.self)) this.#gone.push(state, applied.next);
      else after.push(this.#library.adopt(state, applied.next));
    }
    if (!after.some(({ self }) => self === from)) after.push(made.next);
    this.#states = after;
    this.#infos.push(made.groupInfo);
    this.#commits.push(made.commit);
    return told.toSorted().join(' ');
  }

  async #enter(name: string): Promise<string> {
    const self = await this.#self(name);
    const info = this.#infos.at(-1) ?? text('');
    try {
      const made = await this.#library.joinGroup(self, info);
      return `${name} ${made.removes.join()} ${await this.#deliver(made, self.peerId)}`;
    } catch {
      return `${name} ${await reasonOf(this.#library.joinGroup(self, info))}`;
    }
  }

  /** By whoever may, or by somebody who may not. */
  async #admit(many: number, ghost?: string): Promise<string> {
    const keepers = [this.#random.pick(this.#states), ...this.#states];
    const names = Array.from({ length: many }, () => `p${this.#people++}`);
    const selves = await Promise.all(
      [...names, ...(ghost === undefined ? [] : [ghost])].map((name) => this.#self(name)),
    );
    const offers = await Promise.all(selves.map((self) => this.#library.offer(self)));
    const packages = offers.map(({ keyPackage }) => keyPackage);
    const told: string[] = [];
    for (const keeper of keepers) {
      const attempt = this.#library.commitAdmission(keeper, packages);
      told.push(`${keeper.self} ${await reasonOf(attempt)}`);
      const made = await attempt.catch(() => undefined);
      if (made === undefined) continue;
      told.push(made.adds.join(), await this.#deliver(made, keeper.self));
      for (const [n, value] of offers.entries()) {
        if (made.adds.includes(selves[n]?.peerId ?? ('' as PeerId)))
          told.push(await this.#welcome(selves[n], value, made));
      }
      break;
    }
    return told.join(' ');
  }

  async #welcome(self: GroupSelf | undefined, value: Offer, made: PendingCommit): Promise<string> {
    if (!self || !made.welcome) return 'nobody';
    this.#states.push(
      await this.#library.joinByWelcome(self, value, { groupInfo: made.groupInfo, welcome: made.welcome }),
    );
    return reasonOf(this.#library.joinByWelcome(self, value, { groupInfo: made.groupInfo, welcome: made.welcome }));
  }

  /** For somebody else, of another Epoch, or none at all. */
  async #badWelcome(): Promise<string> {
    const states = this.#states;
    const [one, other] = [await this.#self('w1'), await this.#self('w2')];
    const [first, second] = [await this.#library.offer(one), await this.#library.offer(other)];
    const told: string[] = [];
    for (const keeper of states) {
      const made = await this.#library.commitAdmission(keeper, [first.keyPackage]).catch(() => undefined);
      if (!made?.welcome) continue;
      const { groupInfo, welcome } = made;
      const later = this.#infos.at(-1) ?? text('');
      told.push(await reasonOf(this.#library.joinByWelcome(other, second, { groupInfo, welcome })));
      told.push(await reasonOf(this.#library.joinByWelcome(one, first, { groupInfo: later, welcome })));
      told.push(await reasonOf(this.#library.joinByWelcome(one, first, { groupInfo, welcome: text('?') })));
      told.push(await reasonOf(this.#library.joinByWelcome(one, first, { groupInfo: welcome, welcome })));
      this.#library.discard(made.next);
    }
    this.#library.withdraw(first);
    told.push(await reasonOf(this.#library.joinByWelcome(one, first, { groupInfo: text(''), welcome: text('') })));
    return told.join(' ');
  }

  async #remove(many: number): Promise<string> {
    const committer = this.#random.pick(this.#states);
    const others = this.#states.filter((state) => state !== committer).map(({ self }) => self);
    const peers = others.toSorted(() => this.#random.int(2) - 0.5).slice(0, many);
    const made = await this.#library.commitRemoval(committer, peers);
    return this.#deliver(made, committer.self);
  }

  /** Two Commits of one Epoch; everybody takes the first, and the second one nobody. */
  async #race(): Promise<string> {
    const one = this.#random.pick(this.#states);
    const other = this.#random.pick(this.#states);
    const first = await this.#library.commitRemoval(one, []);
    const second = await this.#library.commitRemoval(other, []);
    this.#library.discard(second.next);
    const told = await this.#deliver(first, one.self);
    return `${told} ${await reasonOf(this.#library.applyCommit(this.#random.pick(this.#states), second.commit))}`;
  }

  async #talk(): Promise<string> {
    const speaker = this.#random.pick(this.#states);
    const { next, sealed } = await this.#library.seal(speaker, text('hello'));
    this.#said.push(sealed);
    const told: string[] = [];
    this.#states = await Promise.all(
      this.#states.map(async (state) => {
        if (state === speaker) return next;
        const opened = await this.#library.open(state, sealed);
        told.push(`${opened.sender} ${new TextDecoder().decode(opened.plaintext)}`);
        told.push(await reasonOf(this.#library.open(opened.next, sealed)));
        return opened.next;
      }),
    );
    for (const state of this.#gone) told.push(await reasonOf(this.#library.open(state, sealed)));
    return told.join(' ');
  }

  /** What was good once, given again. */
  async #old(): Promise<string> {
    const state = this.#random.pick(this.#states);
    const told: string[] = [];
    for (const commit of this.#commits.slice(-2)) told.push(await reasonOf(this.#library.applyCommit(state, commit)));
    for (const info of this.#infos.slice(-2, -1)) told.push(await reasonOf(this.#library.applyCommit(state, info)));
    for (const gone of this.#gone.slice(-2)) {
      for (const commit of this.#commits.slice(-2)) told.push(await reasonOf(this.#library.applyCommit(gone, commit)));
      told.push(await reasonOf(this.#library.seal(gone, text('?'))));
    }
    return told.join(' ');
  }

  async #nonsense(): Promise<string> {
    const state = this.#random.pick(this.#states);
    const told: string[] = [];
    for (const peers of [[state.self], ['nobody'], ['p0', 'p0']] as PeerId[][]) {
      told.push(await reasonOf(this.#library.commitRemoval(state, peers)));
    }
    const other = await this.#library.createGroup(await this.#self('p0'));
    const foreign = await this.#library.commitRemoval(other.state, []);
    told.push(await reasonOf(this.#library.applyCommit(state, foreign.commit)));
    told.push(await reasonOf(this.#library.applyCommit(state, text('{}'))));
    told.push(await reasonOf(this.#library.open(state, foreign.commit)));
    told.push(await reasonOf(this.#library.open(state, (await this.#library.seal(other.state, text('?'))).sealed)));
    return told.join(' ');
  }

  /** The Epoch, who sits where, and whether all agree. */
  async #tell(): Promise<string> {
    const all = await Promise.all(this.#states.map((state) => this.#library.epochKeys(state)));
    const bases = new Set(all.map(({ baseKey }) => Buffer.from(baseKey).toString('hex')));
    const rosters = new Set(
      all.map(({ members }) =>
        JSON.stringify(members.toSorted((a, b) => a.leaf - b.leaf).map((m) => [m.leaf, m.peerId])),
      ),
    );
    return `epoch ${all[0]?.epoch} ${[...rosters].join()} ${bases.size}`;
  }
}

describe('the reference group', () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))('is as ts-mls in history %i', async (seed) => {
    const ours = new Chronicle(referenceLibrary(new IdealWorld(seed)), seed);
    const real = new Chronicle(tsMlsLibrary(), seed);
    expect(await ours.begin()).toBe(await real.begin());
    for (let step = 0; step < STEPS; step++) expect(await ours.step()).toBe(await real.step());
  });

  it('refuses states that were given up', async () => {
    const library = referenceLibrary(new IdealWorld(1));
    const self: GroupSelf = {
      roomId: ROOM,
      peerId: 'a' as PeerId,
      leafKey: await library.generateLeafKey(),
      credential: 'a',
      validate: async () => ({ peerId: 'a' as PeerId }),
    };
    const { state } = await library.createGroup(self);
    const { next } = await library.commitRemoval(state, []);
    const adopted = library.adopt(state, next);
    expect(await reasonOf(library.seal(state, text('?')))).toBe('library');
    library.discard(adopted);
    expect(await reasonOf(library.seal(adopted, text('?')))).toBe('library');
  });

  it('shows a leak where there is one', async () => {
    const world = new IdealWorld(2);
    const library = referenceLibrary(world);
    const self = async (name: string): Promise<GroupSelf> => ({
      roomId: ROOM,
      peerId: name as PeerId,
      leafKey: await library.generateLeafKey(),
      credential: name,
      validate: async (credential) => ({ peerId: credential as PeerId }),
    });
    const made = await library.createGroup(await self('a'));
    const joined = await library.joinGroup(await self('b'), made.groupInfo);
    const a = library.adopt(made.state, (await library.applyCommit(made.state, joined.commit)).next);
    const kept = [library.held(joined.next)];
    const removal = await library.commitRemoval(a, ['b' as PeerId]);
    const rotation = await library.commitRemoval(a, []);
    const wire = [removal, rotation].flatMap(({ commit, groupInfo }) => [decode(commit), decode(groupInfo)]);
    const leaked = derivable(world, kept, wire);
    expect(leaked.has(library.held(removal.next).now.secret)).toBe(false);
    // Still a member by that one: its secret is what a leak would look like.
    expect(leaked.has(library.held(rotation.next).now.secret)).toBe(true);
    expect(leaked.has(library.held(made.state).now.secret)).toBe(false);
  });
});
