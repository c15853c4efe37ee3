import type { CallSnapshot, GroupChange, GroupWarning } from '@veilcast/client';
import type { PeerId } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import { timelineOf, warningWords } from './timeline.ts';

const names = new Map([
  ['me', 'Ada'],
  ['bob', 'Bob'],
  ['eve', ''],
]);
const peers = (...ids: string[]): PeerId[] => ids as PeerId[];

function snapshot(changes: Partial<GroupChange>[], warnings: Partial<GroupWarning>[] = []): CallSnapshot {
  const encryption = {
    changes: changes.map((change, place) => ({
      epoch: place,
      at: place * 10,
      by: 'me',
      kind: 'rotated',
      added: [],
      removed: [],
      ...change,
    })),
    warnings,
  };
  return { self: { peerId: 'me' }, encryption } as unknown as CallSnapshot;
}

function warned(kind: GroupWarning['kind']): string {
  return warningWords({ kind, at: 0, epoch: 0, peers: peers('bob'), reason: 'x' }, names);
}

describe('the timeline of keys', () => {
  it('tells who came, who went and who renewed, the newest first', () => {
    const lines = timelineOf(
      snapshot([
        { kind: 'created' },
        { kind: 'entered', by: 'bob' as PeerId, added: peers('bob') },
        { kind: 'removed', removed: peers('bob', 'eve') },
        { kind: 'rotated' },
      ]),
      names,
    );
    expect(lines.map(({ kind }) => kind)).toEqual(['renewed', 'went', 'came', 'made']);
    expect(lines[1]?.words).toContain('Bob');
    expect(lines[1]?.words).toContain('Somebody');
    expect(lines[2]?.words).toContain('Bob');
  });

  it('puts warnings where they belong in time', () => {
    const warning = { kind: 'removalWithheld' as const, at: 5, epoch: 1, peers: peers('bob'), reason: '' };
    const lines = timelineOf(snapshot([{}, {}], [warning]), names);
    expect(lines.map(({ at }) => at)).toEqual([10, 5, 0]);
    expect(lines[1]).toMatchObject({ kind: 'warned', words: warningWords(warning, names) });
  });

  it('has words for every warning, with names in them', () => {
    const named = ['fork', 'removalWithheld', 'ghost', 'commitRefused', 'staleLeaf', 'unattested', 'revoked'] as const;
    for (const kind of named) expect(warned(kind), kind).toContain('Bob');
    // These concern the servers, or ourselves.
    for (const kind of [...named, 'logFork', 'otherDevice'] as const)
      expect(warned(kind), kind).toMatch(/^[A-Z].{20,}\.$/s);
  });
});
