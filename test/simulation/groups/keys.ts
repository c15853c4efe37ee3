/** Who may have which keys, who has them, and what each ever held in its hands. */
import type { EpochKeys, GroupLibrary, GroupState } from '@veilcast/e2ee';
import {
  baseKeyOf,
  derivable,
  type IdealWorld,
  type Message,
  type ReferenceHeld,
  type ReferenceLibrary,
} from '@veilcast/e2ee/testing';

/** The base key of an Epoch as a word. */
export function wordOf({ baseKey }: EpochKeys): string {
  return Buffer.from(baseKey).toString('hex');
}

/** Remembers every state that one person ever had, the dropped ones too. */
export function watched(library: ReferenceLibrary, kept: ReferenceHeld[]): GroupLibrary {
  const keep = (state: GroupState): void => void kept.push(library.held(state));
  return {
    ...library,
    async createGroup(self) {
      const made = await library.createGroup(self);
      keep(made.state);
      return made;
    },
    async joinGroup(self, groupInfo) {
      const made = await library.joinGroup(self, groupInfo);
      keep(made.next);
      return made;
    },
    async commitRemoval(state, peers) {
      const made = await library.commitRemoval(state, peers);
      keep(made.next);
      return made;
    },
    async commitAdmission(state, keyPackages) {
      const made = await library.commitAdmission(state, keyPackages);
      keep(made.next);
      return made;
    },
    async joinByWelcome(self, offer, told) {
      const state = await library.joinByWelcome(self, offer, told);
      keep(state);
      return state;
    },
    async applyCommit(state, commit) {
      const applied = await library.applyCommit(state, commit);
      keep(applied.next);
      return applied;
    },
  };
}

/** Epochs whose keys this person can come to and was never a member of, given all that ever went over the wire. */
export function leaksOf(
  world: IdealWorld,
  person: string,
  kept: readonly ReferenceHeld[],
  wire: readonly (Message | undefined)[],
  members: ReadonlyMap<string, ReadonlySet<string>>,
): string[] {
  const leaks: string[] = [];
  for (const secret of derivable(world, kept, wire)) {
    const allowed = members.get(baseKeyOf(secret));
    if (allowed && !allowed.has(person)) leaks.push(`${person} has keys of an Epoch it was never in`);
  }
  return leaks;
}
