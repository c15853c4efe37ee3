/**
 * Which Commits a member takes (ADR 0006), judged before the library touches anything. Narrower than RFC 9420, because
 * nothing else is needed and each thing left out is one that cannot go wrong:
 * a member removes others or adds others and renews its own keys, with an update path always; somebody new enters alone, at
 * most replacing its own old leaf. No proposals by reference, PSKs, extensions, re-initialisation.
 */
import { ADMITTED_MAX } from '@veilcast/protocol';
import type { KeyPackage } from 'ts-mls/keyPackage.js';
import type { MLSMessage } from 'ts-mls/message.js';
import type { Proposal } from 'ts-mls/proposal.js';
import type { PublicMessage } from 'ts-mls/publicMessage.js';
import type { UpdatePath } from 'ts-mls/updatePath.js';
import { equalBytes } from './bytes.ts';
import { GroupError } from './group.ts';
import type { Roster } from './roster.ts';

export interface JudgedCommit {
  readonly message: PublicMessage;
  readonly path: UpdatePath;
  /** Undefined: somebody who enters. */
  readonly sender: number | undefined;
  readonly removes: readonly number[];
  /** Unchecked in themselves. Never beside removals. */
  readonly adds: readonly KeyPackage[];
}

export interface JudgedAgainst {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly roster: Roster;
}

/** @throws GroupError saying which rule was broken */
export function judgeCommit(message: MLSMessage | undefined, group: JudgedAgainst): JudgedCommit {
  if (message === undefined) throw new GroupError('undecodable');
  if (message.wireformat !== 'mls_public_message') throw new GroupError('not-allowed');
  const { publicMessage } = message;
  const { content } = publicMessage;
  if (!equalBytes(content.groupId, group.groupId)) throw new GroupError('wrong-group');
  if (content.epoch !== group.epoch) throw new GroupError('wrong-epoch');
  if (content.contentType !== 'commit') throw new GroupError('not-allowed');
  const { path } = content.commit;
  if (path === undefined) throw new GroupError('no-update-path');
  const proposals = content.commit.proposals.map((entry) => {
    if (entry.proposalOrRefType !== 'proposal') throw new GroupError('not-allowed');
    return entry.proposal;
  });
  const removes = proposals.flatMap((proposal) =>
    proposal.proposalType === 'remove' ? [proposal.remove.removed] : [],
  );
  if (removes.some((leaf) => !group.roster.has(leaf))) throw new GroupError('unknown-member');
  const { sender } = content;
  if (sender.senderType === 'new_member_commit') {
    if (count(proposals, 'external_init') !== 1 || removes.length > 1 || proposals.length !== removes.length + 1) {
      throw new GroupError('not-allowed');
    }
    return { message: publicMessage, path, sender: undefined, removes, adds: [] };
  }
  if (sender.senderType !== 'member') throw new GroupError('not-allowed');
  if (!group.roster.has(sender.leafIndex)) throw new GroupError('unknown-member');
  const once = new Set(removes).size === removes.length && !removes.includes(sender.leafIndex);
  const adds = proposals.flatMap((proposal) => (proposal.proposalType === 'add' ? [proposal.add.keyPackage] : []));
  const alone = removes.length === proposals.length || adds.length === proposals.length;
  if (
    !alone ||
    !once ||
    adds.length > ADMITTED_MAX ||
    (adds.length > 0 && !isDoorkeeper(sender.leafIndex, group.roster))
  ) {
    throw new GroupError('not-allowed');
  }
  return { message: publicMessage, path, sender: sender.leafIndex, removes, adds };
}

/** On the highest leaf of a tree without gaps: only this member's path renews all that is above newcomers (mls/additions.ts). */
function isDoorkeeper(leaf: number, roster: Roster): boolean {
  return leaf === roster.size - 1 && Math.max(...roster.keys()) === leaf;
}

function count(proposals: readonly Proposal[], type: Proposal['proposalType']): number {
  return proposals.filter((proposal) => proposal.proposalType === type).length;
}
