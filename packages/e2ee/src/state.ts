/**
 * The library's state behind an opaque GroupState. It is kept beside the value, not in it, so that no log, no structured
 * clone and no serialiser ever meets a secret.
 */
import type { PeerId, RoomId } from '@veilcast/protocol';
import type { ClientState } from 'ts-mls/clientState.js';
import { wipe } from './bytes.ts';
import { GroupError, type GroupState, type ValidateCredential } from './group.ts';
import { type LeafSecrets, wipeLeafSecrets } from './mls/leaf-secrets.ts';
import type { Roster } from './roster.ts';

export interface Held {
  /** Its secret trees are empty: see `secrets`. */
  readonly mls: ClientState;
  readonly secrets: LeafSecrets;
  readonly validate: ValidateCredential;
  readonly roster: Roster;
  /** The roster of the Epoch before, for its late messages. */
  readonly formerRoster: Roster | undefined;
  /** The epoch mark of the Epoch before, for the same reason. */
  readonly formerMark: Uint8Array | undefined;
  readonly formerSecrets: LeafSecrets | undefined;
  /** What we state of this Epoch, once it was signed. */
  readonly statement: Uint8Array | undefined;
  /** Secrets of the state before that this one does not need; wiped when it is adopted. */
  readonly spent: readonly Uint8Array[];
  readonly removed: boolean;
}

const held = new WeakMap<GroupState, Held>();

export function hold(roomId: RoomId, self: PeerId, content: Held): GroupState {
  const epoch = Number(content.mls.groupContext.epoch);
  const state: GroupState = Object.freeze({ roomId, epoch, self, brand: 'GroupState' });
  held.set(state, content);
  return state;
}

/** @throws GroupError `library` for a value that is not one of ours */
export function contentOf(state: GroupState): Held {
  const content = held.get(state);
  if (content === undefined) throw new GroupError('library');
  return content;
}

/** @throws GroupError `removed` when the member is out */
export function liveContentOf(state: GroupState): Held {
  const content = contentOf(state);
  if (content.removed) throw new GroupError('removed');
  return content;
}

/** See GroupLibrary.adopt. */
export function adopt(current: GroupState, next: GroupState): GroupState {
  if (current === next) return next;
  const from = contentOf(current);
  const to = contentOf(next);
  const sameEpoch = from.mls.groupContext.epoch === to.mls.groupContext.epoch;
  wipe(to.spent);
  if (sameEpoch && !to.removed) return hold(next.roomId, next.self, { ...to, spent: [] });
  const { exporterSecret, externalSecret, confirmationKey, membershipKey, initSecret } = from.mls.keySchedule;
  wipe([exporterSecret, externalSecret, confirmationKey, membershipKey, initSecret]);
  if (from.formerSecrets) wipeLeafSecrets(from.formerSecrets);
  // What `current` opened since `next` was made must stay opened: late messages are read with the ratchets that it has.
  const formerSecrets = to.formerSecrets && from.secrets;
  return hold(next.roomId, next.self, { ...to, formerSecrets, spent: [] });
}

/** See GroupLibrary.discard. */
export function discard(state: GroupState): void {
  const { mls, secrets } = contentOf(state);
  wipe(Object.values(mls.keySchedule) as Uint8Array[]);
  wipeLeafSecrets(secrets);
}
