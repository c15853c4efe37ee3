/** Faults for the process that is measured, to see that they are found: a library that is preloaded into it and into its media workers. */
import { execFile } from 'node:child_process';
import { mkdir, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('planted.c', import.meta.url));
const LIBRARY = fileURLToPath(new URL('../../node_modules/.cache/bench/planted.so', import.meta.url));

export interface Planted {
  /** Everything around a send takes so many percent more of the processor. */
  readonly slowPercent?: number;
  /** To each viewer one packet in so many is not sent. Batching is off then: a run of packets is one send. */
  readonly loseEach?: number;
}

/** What to add to the environment of the process. @throws Error with the compiler's words */
export async function planted({ slowPercent = 0, loseEach = 0 }: Planted): Promise<Readonly<Record<string, string>>> {
  await mkdir(dirname(LIBRARY), { recursive: true });
  // Beside its place first: others may be loading it.
  const part = `${LIBRARY}.${process.pid}`;
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];
  await promisify(execFile)('gcc', [...flags, '-o', part, SOURCE, '-ldl']);
  await rename(part, LIBRARY);
  return {
    LD_PRELOAD: LIBRARY,
    VEILCAST_PLANTED_SLOW: String(slowPercent),
    VEILCAST_PLANTED_LOSS: String(loseEach),
    ...(loseEach > 0 ? { MEDIASOUP_WORKER_BATCHING: '0' } : {}),
  };
}
