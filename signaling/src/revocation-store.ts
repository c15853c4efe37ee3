/** Where it is kept which devices were revoked: in memory, or in a file. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';

const State = z.strictObject({
  v: z.literal(1),
  number: z.number().int().nonnegative(),
  /** Names of the keys, SHA-256 as hexadecimal digits; oldest first. */
  keys: z.array(z.string().regex(/^[0-9a-f]{64}$/)),
});

export type RevocationState = Pick<z.infer<typeof State>, 'number' | 'keys'>;

export interface RevocationStore {
  read(): Promise<RevocationState>;
  write(state: RevocationState): Promise<void>;
}

export function memoryRevocationStore(): RevocationStore {
  return { read: async () => ({ number: 0, keys: [] }), write: async () => undefined };
}

/** Written anew and then renamed: a crash leaves the old one or the new one. @throws ZodError for a file that is something else */
export function fileRevocationStore(path: string): RevocationStore {
  return {
    async read() {
      const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === 'ENOENT') return undefined;
        throw cause;
      });
      return text === undefined ? { number: 0, keys: [] } : State.parse(JSON.parse(text));
    },
    async write(state) {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(`${path}.new`, JSON.stringify({ v: 1, ...state }));
      await rename(`${path}.new`, path);
    },
  };
}
