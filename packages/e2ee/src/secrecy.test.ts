/**
 * Who is out opens nothing of what comes after, who comes in nothing of what was before: for every way in and every way
 * out, with the real library beneath its own rules. The attacker keeps every state it ever had, takes every Commit in
 * every one of them without any of our checks, and the server helps: it keeps from the victim what removes it, and gives
 * it everything else, then and later.
 */
import type { PeerId } from '@veilcast/protocol';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ClientState } from 'ts-mls/clientState.js';
import { mlsExporter } from 'ts-mls/keySchedule.js';
import { unprotectPrivateMessage } from 'ts-mls/messageProtection.js';
import { processPublicMessage } from 'ts-mls/processMessages.js';
import { emptyPskIndex } from 'ts-mls/pskIndex.js';
import { type Authority, library, newAuthority, person } from './fixture.ts';
import { decodeMessage } from './framing.ts';
import type { GroupMember, GroupSelf, GroupState, Offer, PendingCommit } from './group.ts';
import { libraryStateOf } from './testing/library-state.ts';
import { suiteImpl } from './suite.ts';

let authority: Authority;
beforeAll(async () => {
  authority = await newAuthority();
});

const ids = (...names: string[]): PeerId[] => names as PeerId[];

interface Comer {
  readonly name: string;
  readonly self: GroupSelf;
  readonly offer: Offer;
}

/** A group, everything that ever went over the wire, and everything that the attacker ever had. */
class Scene {
  readonly states = new Map<string, GroupState>();
  groupInfo = new Uint8Array(0);
  readonly wire: { readonly bytes: Uint8Array; readonly epoch: number }[] = [];
  readonly stolen: ClientState[] = [];
  /** The keys of each Epoch, and whether the attacker was a member of it. */
  readonly epochs: { readonly base: string; readonly mine: boolean }[] = [];
  readonly #selves = new Map<string, GroupSelf>();

  static async open(...names: string[]): Promise<Scene> {
    const scene = new Scene();
    const [first = 'ada', ...others] = names;
    const made = await library.createGroup(await scene.self(first));
    scene.states.set(first, made.state);
    scene.groupInfo = made.groupInfo;
    await scene.#note();
    for (const name of others) await scene.enter(name);
    return scene;
  }

  /** The same person always has the same leaf key, as one Peer does. */
  async self(name: string): Promise<GroupSelf> {
    const self = this.#selves.get(name) ?? (await person(authority, name));
    this.#selves.set(name, self);
    return self;
  }

  async enter(name: string): Promise<void> {
    await this.#deliver(name, await library.joinGroup(await this.self(name), this.groupInfo));
  }

  /** Takes them out; those who are told do what they are told. */
  async remove(by: string, victims: readonly string[], withheld = false): Promise<void> {
    const pending = await library.commitRemoval(this.#state(by), ids(...victims));
    await this.#deliver(by, pending, withheld ? victims : []);
  }

  /** Lets them in together, by a member on the highest leaf. */
  async admit(by: string, ...names: string[]): Promise<void> {
    const comers = await Promise.all(
      names.map(async (name) => {
        const self = await this.self(name);
        return { name, self, offer: await library.offer(self) };
      }),
    );
    const pending = await library.commitAdmission(
      this.#state(by),
      comers.map(({ offer }) => offer.keyPackage),
    );
    await this.#deliver(by, pending, [], comers);
  }

  /** Of whoever is in, with the tree as everybody knows it. */
  async members(): Promise<readonly GroupMember[]> {
    const [state] = this.states.values();
    return state ? (await library.epochKeys(state)).members.toSorted((a, b) => a.leaf - b.leaf) : [];
  }

  async rotate(by: string): Promise<void> {
    await this.remove(by, []);
  }

  async say(by: string): Promise<void> {
    const { next, sealed } = await library.seal(this.#state(by), new TextEncoder().encode(`by ${by}`));
    this.states.set(by, library.adopt(this.#state(by), next));
    this.wire.push({ bytes: sealed, epoch: next.epoch });
    await this.#steal();
  }

  #state(name: string): GroupState {
    const state = this.states.get(name);
    if (!state) throw new Error(`${name} is not in the group`);
    return state;
  }

  async #deliver(
    from: string,
    made: PendingCommit,
    withheldFrom: readonly string[] = [],
    comers: readonly Comer[] = [],
  ): Promise<void> {
    await this.#steal();
    for (const [name, state] of this.states) {
      if (name === from) continue;
      if (made.removes.includes(name as PeerId)) {
        if (!withheldFrom.includes(name)) await library.applyCommit(state, made.commit);
        this.states.delete(name);
        continue;
      }
      // Not adopted: what the attacker kept must not be wiped under its hands. That is stricter, not laxer.
      this.states.set(name, (await library.applyCommit(state, made.commit)).next);
    }
    this.states.set(from, made.next);
    this.groupInfo = made.groupInfo;
    for (const { name, self, offer } of comers) {
      const { groupInfo, welcome = new Uint8Array() } = made;
      this.states.set(name, await library.joinByWelcome(self, offer, { groupInfo, welcome }));
    }
    this.wire.push({ bytes: made.commit, epoch: made.next.epoch - 1 });
    await this.#note();
    await this.#steal();
  }

  async #steal(): Promise<void> {
    const state = this.states.get('eve');
    if (state) this.stolen.push(copy(await libraryStateOf(state)));
  }

  async #note(): Promise<void> {
    const [state] = this.states.values();
    if (!state) return;
    const base = Buffer.from((await library.epochKeys(state)).baseKey).toString('hex');
    this.epochs.push({ base, mine: this.states.has('eve') });
  }

  /** Every Epoch that the stolen states lead to, whatever order things are given in. */
  async loot(): Promise<{ bases: Set<string>; opened: number }> {
    const suite = await suiteImpl();
    const bases = new Set<string>();
    let opened = 0;
    const reached = [...this.stolen];
    for (let next = reached.shift(); next; next = reached.shift()) {
      const base = await mlsExporter(
        next.keySchedule.exporterSecret,
        'SFrame 1.0 Base Key',
        new Uint8Array(0),
        64,
        suite,
      );
      const known = Buffer.from(base).toString('hex');
      if (bases.has(known)) continue;
      bases.add(known);
      for (const { bytes } of this.wire) {
        const message = decodeMessage(bytes);
        if (message?.wireformat === 'mls_private_message') opened += await reads(next, message.privateMessage);
        if (message?.wireformat !== 'mls_public_message') continue;
        const applied = await processPublicMessage(next, message.publicMessage, emptyPskIndex, suite).catch(
          () => undefined,
        );
        // A state that was removed has the Epoch of before; an Epoch that it was given is a find.
        if (applied && applied.newState.groupContext.epoch > next.groupContext.epoch) reached.push(applied.newState);
      }
    }
    return { bases, opened };
  }

  async expectSecret(): Promise<void> {
    const { bases } = await this.loot();
    for (const [epoch, { base, mine }] of this.epochs.entries())
      expect([epoch, bases.has(base)]).toEqual([epoch, mine]);
  }
}

async function reads(state: ClientState, message: Parameters<typeof unprotectPrivateMessage>[1]): Promise<number> {
  const { senderDataSecret } = state.keySchedule;
  const { keyRetentionConfig } = state.clientConfig;
  const { secretTree, ratchetTree, groupContext } = state;
  const suite = await suiteImpl();
  return unprotectPrivateMessage(
    senderDataSecret,
    message,
    secretTree,
    ratchetTree,
    groupContext,
    keyRetentionConfig,
    suite,
  ).then(
    () => 1,
    () => 0,
  );
}

/** What a device keeps that wipes nothing. */
function copy(state: ClientState): ClientState {
  return {
    ...state,
    keySchedule: structuredClone(state.keySchedule),
    clientConfig: { ...state.clientConfig, authService: { validateCredential: async () => true } },
  };
}

const WAYS_IN: readonly [string, (scene: Scene) => Promise<void>][] = [
  ['a new Peer', (scene) => scene.enter('eve')],
  ['one whom a member let in with another', (scene) => scene.admit('cyd', 'eve', 'dan')],
  [
    'back after a removal',
    async (scene) => {
      await scene.enter('eve');
      await scene.remove('ada', ['eve']);
      await scene.rotate('bob');
      await scene.enter('eve');
    },
  ],
  [
    'taking its own seat again',
    async (scene) => {
      await scene.enter('eve');
      await scene.enter('eve');
    },
  ],
];

const WAYS_OUT: readonly [string, (scene: Scene) => Promise<void>][] = [
  ['kicked at once', (scene) => scene.remove('ada', ['eve'])],
  [
    'removed by another after a rotation',
    async (scene) => {
      await scene.rotate('eve');
      await scene.rotate('bob');
      await scene.remove('cyd', ['eve']);
    },
  ],
  ['removed with others in one Commit', (scene) => scene.remove('ada', ['eve', 'bob'])],
  ['removed, and the server keeps it from the victim', (scene) => scene.remove('ada', ['eve'], true)],
  [
    'removed, and others are let in by a member',
    async (scene) => {
      await scene.remove('ada', ['eve']);
      // A gap that it left is filled first, as at the door.
      if ((await scene.members()).some(({ leaf }, n) => leaf !== n)) await scene.enter('kim');
      await scene.admit((await scene.members()).at(-1)?.peerId ?? '', 'lea', 'max');
    },
  ],
  [
    'removed right after its seat was filled by another',
    async (scene) => {
      await scene.remove('ada', ['eve']);
      await scene.enter('dan');
    },
  ],
];

describe.each(WAYS_IN)('who came in as %s', (_in, comeIn) => {
  it.each(WAYS_OUT)('and was %s has the keys of its own time, and no others', async (_out, goOut) => {
    const scene = await Scene.open('ada', 'bob', 'cyd');
    await scene.say('ada');
    await comeIn(scene);
    await scene.say('ada');
    await goOut(scene);
    for (const [name] of [...scene.states].slice(0, 2)) {
      await scene.say(name);
      await scene.rotate(name);
    }
    await scene.expectSecret();
  });
});

it('who made the group and was thrown out has the keys of its own time, and no others', async () => {
  const scene = await Scene.open('eve', 'ada', 'bob');
  await scene.remove('ada', ['eve'], true);
  await scene.enter('cyd');
  await scene.rotate('bob');
  await scene.expectSecret();
});

it('the attack itself is right: it reads what was said in its time, and follows Commits that do not remove it', async () => {
  const scene = await Scene.open('ada', 'bob', 'eve');
  await scene.say('bob');
  await scene.rotate('ada');
  await scene.say('ada');
  scene.stolen.splice(1);
  const { bases, opened } = await scene.loot();
  expect(bases.has(scene.epochs.at(-1)?.base ?? '')).toBe(true);
  expect(opened).toBe(2);
});

it('reads nothing that was said before it came or after it went, whoever hands it over', async () => {
  const scene = await Scene.open('ada', 'bob');
  await scene.say('ada');
  await scene.enter('eve');
  await scene.say('bob');
  await scene.remove('bob', ['eve'], true);
  await scene.say('ada');
  await scene.say('bob');
  expect((await scene.loot()).opened).toBe(1);
});
