/** Journals in Redis: a list a key. One master holds a whole journal; Rooms spread over all of them. */
import { ClusterError } from '@veilcast/protocol';
import { z } from 'zod';
import type { Journals } from '../ports.ts';
import type { Keys } from './keys.ts';
import { APPEND, READ_JOURNAL, REMOVE_JOURNAL } from './scripts.ts';
import { answerOf, type Run } from './view.ts';

const KEY_LENGTH = 512;
/** Characters of all entries of one append. Longer: other scripts wait. */
const APPEND_LENGTH = 16 * 1024 * 1024;
/** Characters after which an answer ends. More: other scripts wait longer. Fewer: more ways. */
const PAGE_LENGTH = 1024 * 1024;

const Append = z.tuple([z.union([z.literal(0), z.literal(1)]), z.number().int().nonnegative()]);
const Page = z.array(z.string());

export function journalsIn(keys: Keys, run: Run): Journals {
  return {
    append: async (key, at, entries, ttlMs) => {
      const length = entries.reduce((sum, entry) => sum + entry.length, 0);
      if (key.length > KEY_LENGTH || length > APPEND_LENGTH) throw new ClusterError('OVERSIZE');
      const args = [`${at}`, `${Math.ceil(ttlMs ?? 0)}`, ...entries];
      const [appended, size] = answerOf(Append, await run('append', APPEND, [keys.journal(key)], args));
      return { kind: appended === 1 ? 'appended' : 'refused', size };
    },
    read: async (key, from) => {
      const entries: string[] = [];
      for (;;) {
        const args = [`${from + entries.length}`, `${PAGE_LENGTH}`];
        const page = answerOf(Page, await run('journal', READ_JOURNAL, [keys.journal(key)], args));
        if (page.length === 0) return entries;
        for (const entry of page) entries.push(entry);
      }
    },
    remove: async (key) => {
      await run('forget', REMOVE_JOURNAL, [keys.journal(key)], []);
    },
  };
}
