/** The call's timeline of keys, in words: who came, who went, whose device changed, and what is wrong. Pure. */
import type { CallSnapshot, GroupChange, GroupWarning, Person } from '@veilcast/client';
import { listOf, t } from '../../words/words.ts';

export interface TimelineLine {
  readonly key: string;
  /** This device's clock, ms since the Unix epoch. */
  readonly at: number;
  readonly kind: 'made' | 'came' | 'went' | 'renewed' | 'warned';
  readonly words: string;
}

/** Names by Peer, of everybody who was ever here; whoever said none is somebody. */
export type Names = ReadonlyMap<string, string>;

export function namesOf(peers: readonly string[], names: Names): string {
  return listOf(peers.map((peerId) => names.get(peerId) || t('stage.unnamed')));
}

/** Newest first. */
export function timelineOf({ encryption, self }: CallSnapshot, names: Names): TimelineLine[] {
  const changes = encryption.changes.map((change) => lineOf(change, self.peerId, names));
  const warnings = encryption.warnings.map((warning, place) => ({
    key: `warning ${warning.at} ${place}`,
    at: warning.at,
    kind: 'warned' as const,
    words: warningWords(warning, names),
  }));
  return [...changes, ...warnings].sort((a, b) => b.at - a.at);
}

export function warningWords({ kind, peers }: GroupWarning, names: Names): string {
  return t(`warning.${kind}`, { names: namesOf(peers, names) });
}

/** People who were verified with another key than the one they have now. */
export function changedPeople(people: readonly Person[]): Person[] {
  return people.filter(({ identity }) => identity?.verified === 'changed');
}

function lineOf(change: GroupChange, self: string, names: Names): TimelineLine {
  const { epoch, at, by, kind, added, removed } = change;
  const line = (how: TimelineLine['kind'], words: string): TimelineLine => ({
    key: `epoch ${epoch} ${at}`,
    at,
    kind: how,
    words,
  });
  const who = { names: namesOf(added.length > 0 ? added : [by], names) };
  switch (kind) {
    case 'created':
      return line('made', t('timeline.created'));
    case 'entered':
      return line('came', by === self ? t('timeline.enteredSelf') : t('timeline.entered', who));
    case 'returned':
      return line('came', by === self ? t('timeline.returnedSelf') : t('timeline.returned', who));
    case 'admitted':
      return line('came', t('timeline.admitted', { by: namesOf([by], names), names: who.names }));
    case 'removed':
      return line('went', t('timeline.removed', { names: namesOf(removed, names) }));
    default:
      return line('renewed', by === self ? t('timeline.rotatedSelf') : t('timeline.rotated', who));
  }
}
