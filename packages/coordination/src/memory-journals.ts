/** Journals in memory. One that nobody writes to any more is forgotten when the next one is begun. */
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { Journals } from './ports.ts';

export interface MemoryJournal {
  readonly entries: string[];
  bytes: number;
  expiresAt: number;
}

interface Store {
  readonly clock: Clock;
  readonly journals: Map<string, MemoryJournal>;
}

/** Journals at a time, and characters of one. */
const JOURNALS_MAX = 20_000;
const BYTES_MAX = 256 * 1024 * 1024;

export function memoryJournals({ clock, journals }: Store, alive: () => void): Journals {
  const find = (key: string): MemoryJournal | undefined => {
    const found = journals.get(key);
    if (found === undefined || found.expiresAt > clock.now()) return found;
    journals.delete(key);
    return undefined;
  };
  return {
    append: async (key, at, entries, ttlMs) => {
      alive();
      const found = find(key);
      const size = found?.entries.length ?? 0;
      if (size !== at) return { kind: 'refused', size };
      const bytes = (found?.bytes ?? 0) + entries.reduce((sum, { length }) => sum + length, 0);
      if (found === undefined) makeRoom(journals, clock.now());
      if (bytes > BYTES_MAX) throw new ClusterError('OVERLOADED', 'a journal is full');
      const expiresAt = ttlMs === undefined ? Infinity : clock.now() + ttlMs;
      const journal = found ?? { entries: [], bytes, expiresAt };
      // Written last, remembered longest.
      journals.delete(key);
      journals.set(key, Object.assign(journal, { bytes, expiresAt }));
      for (const entry of entries) journal.entries.push(entry);
      return { kind: 'appended', size: journal.entries.length };
    },
    read: async (key, from) => {
      alive();
      return find(key)?.entries.slice(from) ?? [];
    },
    remove: async (key) => {
      alive();
      journals.delete(key);
    },
  };
}

/** @throws ClusterError OVERLOADED when all of them are in use */
function makeRoom(journals: Map<string, MemoryJournal>, now: number): void {
  if (journals.size < JOURNALS_MAX) return;
  for (const [key, { expiresAt }] of journals) if (expiresAt <= now) journals.delete(key);
  if (journals.size >= JOURNALS_MAX) throw new ClusterError('OVERLOADED', 'too many journals');
}
