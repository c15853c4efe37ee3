/**
 * Where the entries of the log of bundles are kept (ADR 0012): in memory, or in a file that is only ever appended to. Whoever keeps
 * the root across restarts must keep the log too, or clients see two logs under one root and say so.
 */
import { LOG_ENTRY_BYTES } from '@veilcast/e2ee/identity';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface LogStore {
  /** All of them, oldest first. Called once, before the first `append`. */
  read(): Promise<readonly Uint8Array[]>;
  /** Resolves when the entry outlives this process. One at a time. */
  append(entry: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export function memoryLogStore(): LogStore {
  return { read: async () => [], append: async () => undefined, close: async () => undefined };
}

/** One entry after the other, nothing else. What a crash cut off in the middle of the last one is dropped. */
export async function fileLogStore(path: string): Promise<LogStore> {
  await mkdir(dirname(path), { recursive: true });
  // Created when missing; positions are ours, so that a torn end is written over.
  const file = await open(path, 'a+').then(async (made) => {
    await made.close();
    return open(path, 'r+');
  });
  let end = 0;
  return {
    async read() {
      const bytes = new Uint8Array(await file.readFile());
      end = bytes.length - (bytes.length % LOG_ENTRY_BYTES);
      await file.truncate(end);
      return Array.from({ length: end / LOG_ENTRY_BYTES }, (_, i) =>
        bytes.slice(i * LOG_ENTRY_BYTES, (i + 1) * LOG_ENTRY_BYTES),
      );
    },
    async append(entry) {
      await file.write(entry, 0, entry.length, end);
      await file.datasync();
      end += entry.length;
    },
    close: () => file.close(),
  };
}
