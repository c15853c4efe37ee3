/** The shim of this folder, built for this machine, and what it counted. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What the kernel in front of the real one does; told in `shim.c`. */
export type Kernel = '' | 'ignorant' | 'refusing' | 'full' | 'losing' | 'doubling';

export interface Shim {
  /** For the environment of a worker. */
  environment(kernel: Kernel): Record<string, string>;
  /** Sends since the start of the latest worker: of one datagram, and of several at once. */
  counts(): { single: number; many: number };
  remove(): void;
}

/** @throws Error when it cannot be compiled */
export function buildShim(): Shim {
  const folder = mkdtempSync(join(tmpdir(), 'shim-'));
  const [library, counts] = [join(folder, 'shim.so'), join(folder, 'counts')];
  const source = fileURLToPath(new URL('shim.c', import.meta.url));
  const built = spawnSync('gcc', ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`gcc: ${String(built.error ?? built.stderr)}`);
  return {
    environment: (kernel) => {
      writeFileSync(counts, Buffer.alloc(16));
      return { LD_PRELOAD: library, SHIM: kernel, SHIM_COUNTS: counts };
    },
    counts: () => {
      const read = readFileSync(counts);
      return { single: Number(read.readBigUInt64LE(0)), many: Number(read.readBigUInt64LE(8)) };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
