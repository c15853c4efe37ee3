/** What a generator leaves in its folder, so that several of them, on several machines, become one report. */
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ClusterError } from '@veilcast/protocol';
import { z } from 'zod';
import { Samples, Summary } from './figures.ts';
import { sampleOf } from './sample.ts';
import type { Series } from './series.ts';

const SAMPLES = 'samples.jsonl';
const SUMMARY = 'k6.json';
const RUN = 'run.json';

/** What one run says of itself. */
export const Run = z.object({
  name: z.string().max(64),
  size: z.string().max(16),
  /** ISO 8601. */
  at: z.string().max(64),
  machine: z.string().max(256),
  target: z.string().max(512),
  seconds: z.number(),
  generators: z.number().int(),
});
export type Run = z.infer<typeof Run>;

export const summaryFile = (folder: string): string => join(folder, SUMMARY);
export const runFile = (folder: string): string => join(folder, RUN);

/** One generator's samples as they come: kept, plotted, counted. */
export class GeneratorRecord {
  readonly samples = new Samples();
  readonly #file: WriteStream;

  constructor(folder: string) {
    this.#file = createWriteStream(join(folder, SAMPLES));
  }

  /** @returns the sample that the line is */
  add(line: string): ReturnType<typeof sampleOf> {
    const sample = sampleOf(line);
    if (sample === undefined) return undefined;
    this.samples.add(sample);
    this.#file.write(`${line}\n`);
    return sample;
  }

  async close(): Promise<void> {
    this.#file.end();
    await once(this.#file, 'close');
  }
}

/** @throws ClusterError NOT_FOUND where no k6 has ended */
export async function summaryIn(folder: string): Promise<Summary> {
  return Summary.parse(await json(summaryFile(folder)));
}

export interface Kept {
  readonly run: Run;
  readonly summary: Summary;
  readonly samples: Samples;
}

/** Of another run's folder. @throws ClusterError NOT_FOUND */
export async function kept(folder: string, series: Series, generator: number): Promise<Kept> {
  const [run, summary, samples] = [Run.parse(await json(runFile(folder))), await summaryIn(folder), new Samples()];
  const lines = createInterface({ input: createReadStream(join(folder, SAMPLES)) });
  for await (const line of lines) {
    const sample = sampleOf(line);
    if (sample === undefined) continue;
    samples.add(sample);
    series.add(sample, generator);
  }
  return { run, summary, samples };
}

async function json(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ClusterError('NOT_FOUND', `There is no ${file}: is this the folder of a generator?`, { cause });
  });
  return JSON.parse(text);
}
