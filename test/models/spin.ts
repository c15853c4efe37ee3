/** Runs Spin over a Promela model: makes the checker, builds it, and says what it found. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const folder = fileURLToPath(new URL('.', import.meta.url));

export interface ModelRun {
  /** File in this folder, without `.pml`. */
  readonly model: string;
  /** Macros that the model is read with, as `NAME` or `NAME=1`. */
  readonly defines?: readonly string[] | undefined;
  /** Look for cycles instead of for bad states alone. */
  readonly cycles?: boolean | undefined;
  /** Longest that the search may take, ms. */
  readonly limitMs: number;
  readonly memoryMb?: number | undefined;
  /** Build the checker fast instead of fast code: for searches that end early. */
  readonly hasty?: boolean | undefined;
}

export interface Found {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** What was violated, undefined when nothing was. */
  readonly violation: string | undefined;
  /** Every state was visited. */
  readonly complete: boolean;
  readonly tookMs: number;
  readonly output: string;
}

/** @throws Error when Spin or the compiler refuse the model, or when the search ran out of time or memory */
export async function check({
  model,
  defines = [],
  cycles = false,
  limitMs,
  memoryMb = 1_500,
  hasty = false,
}: ModelRun): Promise<Found> {
  const place = await mkdtemp(join(tmpdir(), 'veilcast-spin-'));
  try {
    const macros = defines.map((define) => `-D${define}`);
    await run('spin', [...macros, '-a', join(folder, `${model}.pml`)], { cwd: place });
    const search = cycles ? '-DNP' : '-DSAFETY';
    const options = ['-w', hasty ? '-O0' : '-O1', search, '-DNOREDUCE', `-DMEMLIM=${memoryMb}`];
    await run('gcc', [...options, '-o', 'pan', 'pan.c'], { cwd: place });
    const began = performance.now();
    // -n: the states that were never reached are not listed; -m: depth enough for every run of these models.
    const searching = run(join(place, 'pan'), [...(cycles ? ['-l'] : []), '-n', '-m1000000', '-w22'], {
      cwd: place,
      timeout: limitMs,
      maxBuffer: 4_000_000,
    });
    const { stdout } = await searching.catch((thrown: { readonly stdout?: string; readonly killed?: boolean }) => {
      if (thrown.killed === true || thrown.stdout === undefined) throw new Error(`${model}: no end in ${limitMs} ms`);
      return { stdout: thrown.stdout };
    });
    return read(model, stdout, performance.now() - began);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

function read(model: string, output: string, tookMs: number): Found {
  const violation = /^pan:\d+: (.*)$/m.exec(output)?.[1];
  const states = /^\s*([\d.e+]+) states, stored/m.exec(output)?.[1];
  const transitions = /^\s*([\d.e+]+) transitions/m.exec(output)?.[1];
  const depth = /depth reached (\d+)/.exec(output)?.[1];
  if (states === undefined) throw new Error(`${model}: the search said nothing\n${output}`);
  if (violation?.includes('out of memory') === true || /max search depth too small/.test(output)) {
    throw new Error(`${model}: ran out of memory or depth\n${output}`);
  }
  const complete = violation === undefined && !output.includes('Search not completed');
  return {
    states: Number(states),
    transitions: Number(transitions),
    depth: Number(depth),
    violation,
    complete,
    tookMs,
    output,
  };
}
