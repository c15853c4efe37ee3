/**
 * The entries of the log of bundles (ADR 0012) in a file that is only ever appended to, by one process. Whoever keeps the root across
 * restarts must keep the log too, or clients see two logs under one root and say so.
 */
import { LOG_ENTRY_BYTES } from '@veilcast/e2ee/identity';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { KeptStore } from './kept-list.ts';

/** One entry after the other, nothing else; base64 here. What a crash cut off in the middle of the last one is dropped. */
export async function fileLogStore(path: string): Promise<KeptStore> {
  await mkdir(dirname(path), { recursive: true });
  // Created when missing; positions are ours, so that a torn end is written over.
  const file = await open(path, 'a+').then(async (made) => {
    await made.close();
    return open(path, 'r+');
  });
  let end = 0;
  return {
    async read(from) {
      if (from > 0) return [];
      const bytes = await file.readFile();
      end = bytes.length - (bytes.length % LOG_ENTRY_BYTES);
      await file.truncate(end);
      return Array.from({ length: end / LOG_ENTRY_BYTES }, (_, i) =>
        bytes.toString('base64', i * LOG_ENTRY_BYTES, (i + 1) * LOG_ENTRY_BYTES),
      );
    },
    async append(_at, entries) {
      const bytes = Buffer.concat(entries.map((entry) => Buffer.from(entry, 'base64')));
      await file.write(bytes, 0, bytes.length, end);
      await file.datasync();
      end += bytes.length;
      return { kind: 'appended', size: end / LOG_ENTRY_BYTES };
    },
    close: () => file.close(),
  };
}
