/** What surrounds a member of a group, and what passes between them. */
import { GroupError, type AppliedCommit, type EpochKeys, type PendingCommit } from '@veilcast/e2ee';
import { ClusterError, type PeerId } from '@veilcast/protocol';
import type { GroupChange, GroupWarning } from './messages.ts';

export interface CommitBody {
  readonly epoch: number;
  readonly ticket?: number;
  readonly commit?: Uint8Array;
  readonly groupInfo: Uint8Array;
  readonly removes: readonly PeerId[];
  readonly adds?: readonly PeerId[];
  readonly welcome?: Uint8Array;
}

/** How an Epoch came about. */
export type Change = Pick<GroupChange, 'by' | 'kind' | 'added' | 'removed'>;

export interface Entry extends Change {
  /** How long the Epoch before it is sealed with yet. */
  readonly switchAfterMs: number;
  /** Not a successor of the Epochs before. */
  readonly newGroup: boolean;
}

/** What surrounds a member: the delivery service, the frame worker, the page. */
export interface MembershipOutside {
  /** @throws ClusterError when the delivery service refused it */
  commit(body: CommitBody): Promise<number>;
  /** @throws ClusterError */
  message(body: { readonly epoch: number; readonly sealed: Uint8Array }): Promise<void>;
  /** A KeyPackage, for whoever lets people in. @throws ClusterError */
  offer(keyPackage: Uint8Array): Promise<void>;
  /** Asks for a turn to enter. @throws ClusterError */
  rejoin(): Promise<void>;
  entered(keys: EpochKeys, how: Entry): void;
  /** The state is lost; a place is asked for, or with `final` none will be given any more. */
  lost(final: boolean): void;
  opened(sender: PeerId, plaintext: Uint8Array): void;
  /** A message or Commit was not taken; the reason holds no secret. */
  refused(reason: string): void;
  warned(warning: GroupWarning): void;
}

/** What the delivery service is told of a Commit of ours, its Epoch and ticket aside. */
export function bodyOf(pending: PendingCommit): Omit<CommitBody, 'epoch'> {
  const { commit, groupInfo, removes, adds, welcome } = pending;
  return { commit, groupInfo, removes, adds, ...(welcome && { welcome }) };
}

/** How an Epoch came about that somebody else made. */
export function kindOf({ external, added, removed }: AppliedCommit): Entry['kind'] {
  if (external) return added.length > 0 ? 'entered' : 'returned';
  if (added.length > 0) return 'admitted';
  return removed.length > 0 ? 'removed' : 'rotated';
}

/** A stable word, never words of another. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof GroupError ? thrown.reason : ClusterError.of(thrown).code;
}
