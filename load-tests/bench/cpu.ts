/** Processor time of a process, all its threads together, as the scheduler counted it: no sampling, no rounding to ticks. And its memory. */
import { readdir, readFile } from 'node:fs/promises';

/** Nanoseconds on a core so far. Linux alone. A thread that ended is no longer in it, so measure while threads live. */
export async function cpuNs(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const each = await Promise.all(
    threads.map(async (thread) => {
      const text = await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0');
      return Number(text.split(' ')[0]);
    }),
  );
  return each.reduce((sum, one) => sum + one, 0);
}

/** Memory of a process that is in RAM, KiB. Linux alone. */
export async function residentKiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN);
}
