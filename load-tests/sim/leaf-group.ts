/** A removal from a leaf by the real delivery service: who is asked to remove, who is passed over, and when everybody has taken the Commit. */
import { openDelivery, reduce, type DeliveryEvent, type DeliveryState } from '@veilcast/delivery';
import type { Epoch, PeerId, Random } from '@veilcast/protocol';
import { drawAccess, drawDevice } from './access.ts';
import { Agenda } from './agenda.ts';
import type { Scenario } from './scenario.ts';
import type { UnitModel } from './unit-model.ts';

const NOTHING = new Uint8Array();
/** Groups are the same until somebody goes: by their size. */
const formed = new Map<number, DeliveryState>();

/** Everybody has entered, one after the other by ticket. */
function groupOf(size: number): DeliveryState {
  const known = formed.get(size);
  if (known) return known;
  let state = openDelivery();
  for (let n = 0; n < size; n++) {
    const peerId = `leaf${n}` as PeerId;
    state = reduce(state, { kind: 'enter', peerId }, 0).state;
    const ticket = state.ticket?.ticket;
    const epoch = (n === 0 ? 0 : state.epoch) as Epoch;
    const commit = n === 0 ? undefined : NOTHING;
    const entry = { peerId, epoch, ticket, commit, groupInfo: NOTHING, removes: [], adds: [], welcome: undefined };
    state = reduce(state, { kind: 'commit', ...entry }, 0).state;
  }
  // An entry that the service does not take would leave a smaller group, and times that look too good.
  if (state.members.length !== size) throw new RangeError(`${state.members.length} entered of ${size}`);
  formed.set(size, state);
  return state;
}

/**
 * @param keyAt when the leaf's delegate has the key of above, ms after the removal; it hands it on in the new Epoch alone
 * @returns for each who stays, when it has both, ms
 */
export function removalFrom(
  model: UnitModel,
  input: Pick<Scenario, 'access' | 'devices'>,
  size: number,
  keyAt: number,
  random: Random,
): number[] {
  const agenda = new Agenda();
  let state = groupOf(size);
  const victim = state.members.at(-1)?.peerId;
  const people = new Map(
    state.members.map(({ peerId }) => [
      peerId,
      { accessMs: drawAccess(input.access, random), factor: drawDevice(input.devices, random) },
    ]),
  );
  const had = new Map<PeerId, number>();
  /** When the Commit was accepted. */
  const accepted: { at?: number } = {};

  const give = (event: DeliveryEvent): void => {
    const step = reduce(state, event, agenda.now);
    state = step.state;
    if (step.epoch !== undefined && event.kind === 'commit') {
      accepted.at = agenda.now;
      const maker = people.get(event.peerId);
      had.set(event.peerId, agenda.now + (maker?.accessMs ?? 0));
    }
    for (const effect of step.effects) {
      if (effect.kind !== 'tell') continue;
      const { name, body } = effect.event;
      effect.peerIds.forEach((peerId, position) => {
        const person = people.get(peerId);
        if (!person) return;
        const heard = agenda.now + (position * model.messageUs) / 1_000 + person.accessMs;
        if (name === 'groupCommit') had.set(peerId, heard + person.factor * model.commitTakenMs);
        if (name === 'groupRemove') {
          agenda.add(heard + person.factor * model.commitMadeMs + person.accessMs, () =>
            give({
              kind: 'commit',
              peerId,
              epoch: body.epoch,
              ticket: undefined,
              commit: NOTHING,
              groupInfo: NOTHING,
              removes: [...body.peers],
              adds: [],
              welcome: undefined,
            }),
          );
        }
      });
    }
    if (step.wakeAt !== undefined) agenda.add(step.wakeAt, () => give({ kind: 'tick' }));
  };
  if (victim === undefined) return [];
  give({ kind: 'gone', peerId: victim, urgent: true });
  while (accepted.at === undefined && agenda.step(60_000)) continue;
  return [...had].map(([peerId, commitAt]) => {
    const person = people.get(peerId);
    const handed =
      Math.max(keyAt, accepted.at ?? 0) + (random.float() * size * model.messageUs) / 1_000 + (person?.accessMs ?? 0);
    return Math.max(commitAt, handed) + (person?.factor ?? 1) * model.keyOpenedMs;
  });
}
