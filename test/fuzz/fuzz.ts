/** Feeds a target: so many inputs, none of which may crash it, hang it, make it grow, or be taken when it should not be. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { drawFrom, makeInput } from './mutate.ts';
import type { Target, Verdict } from './target.ts';

export interface Limits {
  readonly inputs: number;
  /** No more inputs after so much work of the processor, and ten times as long in all; how many there were is said. */
  readonly budgetMs: number;
  /** One input takes no longer, however busy the machine. */
  readonly inputMs: number;
  /** What may be on the heap afterwards that was not before. */
  readonly growthBytes: number;
}

export interface Report {
  readonly inputs: number;
  /** Of the processor. */
  readonly tookMs: number;
  readonly slowestMs: number;
  readonly grownBytes: number;
  readonly taken: number;
  readonly refused: ReadonlyMap<string, number>;
}

/** How often the clock is looked at, and other tasks of the process get their turn. */
const BATCH = 256;
const WARM = 2_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** @throws Error with the input as base64, for `VEILCAST_FUZZ=name:base64` */
export async function fuzz(target: Target, seed: number, limits: Limits): Promise<Report> {
  const draw = drawFrom(seed);
  const refused = new Map<string, number>();
  let taken = 0;
  let slowestMs = 0;
  let inputs = 0;
  let before = await heap();
  for (const valid of target.seeds) await takeOne(target, valid, limits);
  const began = performance.now();
  const worked = process.cpuUsage();
  while (
    inputs < limits.inputs &&
    workedMs(worked) < limits.budgetMs &&
    performance.now() - began < 10 * limits.budgetMs
  ) {
    for (let i = 0; i < BATCH && inputs < limits.inputs; i++) {
      const { verdict, ms } = await takeOne(target, makeInput(target.seeds, draw), limits);
      if (verdict === 'taken') taken += 1;
      else refused.set(verdict.refused, (refused.get(verdict.refused) ?? 0) + 1);
      slowestMs = Math.max(slowestMs, ms);
      inputs += 1;
      // What is made once, code and caches, is no growth.
      if (inputs === WARM) before = await heap();
    }
    await new Promise(setImmediate);
  }
  const tookMs = workedMs(worked);
  const grownBytes = inputs > WARM ? (await heap()) - before : 0;
  if (grownBytes > limits.growthBytes)
    throw new Error(`${target.name} grew by ${grownBytes} bytes over ${inputs} inputs`);
  return { inputs, tookMs, slowestMs, grownBytes, taken, refused };
}

export async function takeOne(
  target: Target,
  input: Uint8Array,
  { inputMs }: Pick<Limits, 'inputMs'>,
): Promise<{ verdict: Exclude<Verdict, { readonly wrong: string }>; ms: number }> {
  const began = performance.now();
  let verdict: Verdict;
  try {
    verdict = await target.take(input);
  } catch (thrown) {
    throw failure(target, input, `threw ${String(thrown)}`, thrown);
  }
  const ms = performance.now() - began;
  if (ms > inputMs) throw failure(target, input, `took ${ms.toFixed(0)} ms`);
  if (typeof verdict === 'object' && 'wrong' in verdict) throw failure(target, input, verdict.wrong);
  return { verdict, ms };
}

function failure({ name }: Target, input: Uint8Array, what: string, cause?: unknown): Error {
  return new Error(`${name}: ${what}; again with VEILCAST_FUZZ=${name}:${Buffer.from(input).toString('base64')}`, {
    cause,
  });
}

function workedMs(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
}

/** Buffers are given back a moment after their objects. */
async function heap(): Promise<number> {
  collect();
  await new Promise((resolve) => setTimeout(resolve, 30));
  collect();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
