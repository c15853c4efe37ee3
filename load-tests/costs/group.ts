/** What the group costs a member: Commits made and taken, one Proposal more, and a key for the level below sealed and opened. */
import { tsMlsLibrary, type GroupLibrary, type GroupSelf, type GroupState, type PendingCommit } from '@veilcast/e2ee';
import type { PeerId, RoomId } from '@veilcast/protocol';
import type { Say } from '../bench/figure.ts';
import { cpuMsOf, taken, type Measurement, type Taken } from './measure.ts';

const SIZES = { full: { mid: 16, leaf: 64 }, tiny: { mid: 3, leaf: 4 } } as const;
const TIMES = { full: 12, tiny: 1 } as const;
/** Removed at once, to see what each costs more than the first. */
const MANY = 8;
/** A key of a level with its number and the chain's hash (docs: research of the levels): what is sealed downwards. */
const KEY_BYTES = 80;
/** Sealing and opening take less than a millisecond: so many in a row are one sample. */
const IN_A_ROW = 20;

async function selfOf(library: GroupLibrary, name: string): Promise<GroupSelf> {
  return {
    roomId: 'costs' as RoomId,
    peerId: name as PeerId,
    leafKey: await library.generateLeafKey(),
    credential: name,
    validate: async (credential) => ({ peerId: credential as PeerId }),
  };
}

/** The first two members keep their state; the others have entered one after the other, as they do. */
class Group {
  readonly #library: GroupLibrary;
  readonly peers: PeerId[] = [];
  states: GroupState[] = [];
  groupInfo: Uint8Array = new Uint8Array();

  constructor(library: GroupLibrary) {
    this.#library = library;
  }

  async enter(): Promise<void> {
    const self = await selfOf(this.#library, `peer${this.peers.length}`);
    this.peers.push(self.peerId);
    if (this.peers.length === 1) {
      const made = await this.#library.createGroup(self);
      this.states = [made.state];
      this.groupInfo = made.groupInfo;
      return;
    }
    const joined = await this.#library.joinGroup(self, this.groupInfo);
    await this.take(joined);
    if (this.states.length < 2) this.states.push(joined.next);
  }

  async take({ commit, groupInfo }: PendingCommit): Promise<void> {
    this.states = await Promise.all(
      this.states.map(async (state) =>
        this.#library.adopt(state, (await this.#library.applyCommit(state, commit)).next),
      ),
    );
    this.groupInfo = groupInfo;
  }

  async grow(size: number): Promise<void> {
    while (this.peers.length < size) await this.enter();
  }
}

async function removals(
  library: GroupLibrary,
  group: Group,
  times: number,
  names: readonly ['commitMade' | 'commitMadeMid', 'commitTaken' | 'commitTakenMid'],
): Promise<Taken[]> {
  const [maker, taker] = group.states as [GroupState, GroupState];
  const victim = group.peers.slice(-1);
  let pending: PendingCommit | undefined;
  const made = await cpuMsOf(times, async () => (pending = await library.commitRemoval(maker, victim)));
  const took = await cpuMsOf(times, () => library.applyCommit(taker, pending?.commit ?? new Uint8Array()));
  const from = `removal from a warm group of ${group.peers.length}, X-Wing, AES-256-GCM, Ed25519; credentials taken on trust`;
  return [taken(names[0], made, from), taken(names[1], took, from)];
}

async function run(effort: 'full' | 'tiny', say: Say): Promise<readonly Taken[]> {
  const { mid, leaf } = SIZES[effort];
  const times = TIMES[effort];
  const library = tsMlsLibrary();
  const group = new Group(library);
  await group.grow(mid);
  const all = await removals(library, group, times, ['commitMadeMid', 'commitTakenMid']);
  say(`${mid} members`);
  await group.grow(leaf - 1);
  const comer = await selfOf(library, 'comer');
  const [, taker] = group.states as [GroupState, GroupState];
  let joining: PendingCommit | undefined;
  const entered = await cpuMsOf(times, async () => (joining = await library.joinGroup(comer, group.groupInfo)));
  const met = await cpuMsOf(times, () => library.applyCommit(taker, joining?.commit ?? new Uint8Array()));
  const outside = `external Commit into a group of ${leaf - 1}; credentials taken on trust`;
  all.push(taken('externalMade', entered, outside), taken('externalTaken', met, outside));
  await group.grow(leaf);
  all.push(...(await removals(library, group, times, ['commitMade', 'commitTaken'])));
  say(`${leaf} members`);
  const many = Math.min(MANY, leaf - 2);
  const [first, second] = group.states as [GroupState, GroupState];
  const one = await cpuMsOf(times, () => library.commitRemoval(first, group.peers.slice(-1)));
  const more = await cpuMsOf(times, () => library.commitRemoval(first, group.peers.slice(-many)));
  const each = more.map((ms, n) => (ms - (one[n] ?? 0)) / Math.max(1, many - 1));
  all.push(
    taken(
      'proposal',
      each,
      `a Commit with ${many} Removes less one with one, by the ${many - 1} more; below nothing counts as 0`,
    ),
  );
  const plaintext = new Uint8Array(KEY_BYTES);
  let sealed: Uint8Array = new Uint8Array();
  const seal = await cpuMsOf(times, async () => {
    for (let n = 0; n < IN_A_ROW; n++) sealed = (await library.seal(first, plaintext)).sealed;
  });
  const open = await cpuMsOf(times, async () => {
    for (let n = 0; n < IN_A_ROW; n++) await library.open(second, sealed);
  });
  const row = `${KEY_BYTES} bytes, means of ${IN_A_ROW} in a row`;
  const mean = (ms: number): number => ms / IN_A_ROW;
  all.push(taken('keySealed', seal.map(mean), row), taken('keyOpened', open.map(mean), row));
  return all;
}

export const group: Measurement = {
  names: [
    'commitMade',
    'commitTaken',
    'commitMadeMid',
    'commitTakenMid',
    'externalMade',
    'externalTaken',
    'proposal',
    'keySealed',
    'keyOpened',
  ],
  run,
};
