/** Which devices were revoked, in a file. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import type { KeptStore } from './kept-list.ts';

const State = z.strictObject({
  v: z.literal(1),
  number: z.number().int().nonnegative(),
  /** Names of the keys, SHA-256 as hexadecimal digits; oldest first. */
  keys: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
});

/** Names of keys in a file of one process, written anew and then renamed: a crash leaves the old one or the new one. */
export function fileRevocationStore(path: string): KeptStore {
  let keys: readonly string[] = [];
  return {
    /** @throws ZodError for a file that is something else */
    async read(from) {
      if (from > 0) return [];
      const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return undefined;
        throw cause;
      });
      keys = text === undefined ? [] : State.parse(JSON.parse(text)).keys;
      return keys;
    },
    async append(_at, entries) {
      const next = [...keys, ...entries];
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.new`, JSON.stringify({ v: 1, number: next.length, keys: next }));
      await rename(`${path}.new`, path);
      keys = next;
      return { kind: 'appended', size: keys.length };
    },
    close: async () => undefined,
  };
}
