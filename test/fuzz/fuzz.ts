/** Feeds a target: so many inputs, none of which may crash it, hang it, make it grow, or be taken when it should not be. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { drawFrom, makeInput } from './mutate.ts';
import type { Target, Verdict } from './target.ts';

export interface Limits {
  /** All of them are read; taken whole are those for which there is time. */
  readonly inputs: number;
  /** Work of the processor for what costs more than reading: a target that `reads` only reads after it. */
  readonly budgetMs: number;
  /** One input takes no longer, however busy the machine. */
  readonly inputMs: number;
  /** What may be on the heap afterwards that was not before. */
  readonly growthBytes: number;
}

export interface Report {
  readonly inputs: number;
  /** Of these, given to `take`; the others were read. */
  readonly whole: number;
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
  // Most inputs are refused by an exception, and the trace of one costs more than the reading. A failure prints its input instead.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return await feed(target, seed, limits);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

async function feed(target: Target, seed: number, limits: Limits): Promise<Report> {
  const draw = drawFrom(seed);
  const refused = new Map<string, number>();
  let taken = 0;
  let slowestMs = 0;
  let inputs = 0;
  let whole = 0;
  let before = await heap();
  for (const valid of target.seeds) await takeOne(target, valid, limits);
  const worked = process.cpuUsage();
  while (inputs < limits.inputs) {
    const { reads } = target;
    const only = reads !== undefined && workedMs(worked) >= limits.budgetMs ? reads : undefined;
    for (let i = 0; i < BATCH && inputs < limits.inputs; i++) {
      const input = makeInput(target.seeds, draw);
      const { verdict, ms } = only ? readOne(target, only, input, limits) : await takeOne(target, input, limits);
      if (verdict === 'taken') taken += 1;
      else refused.set(verdict.refused, (refused.get(verdict.refused) ?? 0) + 1);
      slowestMs = Math.max(slowestMs, ms);
      inputs += 1;
      if (!only) whole += 1;
      // What is made once, code and caches, is no growth.
      if (inputs === WARM) before = await heap();
    }
    await new Promise(setImmediate);
  }
  const tookMs = workedMs(worked);
  const grownBytes = inputs > WARM ? (await heap()) - before : 0;
  if (grownBytes > limits.growthBytes)
    throw new Error(`${target.name} grew by ${grownBytes} bytes over ${inputs} inputs`);
  return { inputs, whole, tookMs, slowestMs, grownBytes, taken, refused };
}

type Right = Exclude<Verdict, { readonly wrong: string }>;
interface Took {
  readonly verdict: Right;
  readonly ms: number;
}
type InputLimit = Pick<Limits, 'inputMs'>;

const UNREADABLE: Right = { refused: 'unreadable' };
const READABLE: Right = { refused: 'readable, not tried' };

export async function takeOne(target: Target, input: Uint8Array, limits: InputLimit): Promise<Took> {
  const began = performance.now();
  let verdict: Verdict;
  let readable: boolean;
  try {
    readable = target.reads?.(input) ?? true;
    verdict = await target.take(input);
  } catch (thrown) {
    throw failure(target, input, `threw ${String(thrown)}`, thrown);
  }
  if (!readable && verdict === 'taken') throw failure(target, input, 'taken, and its reader refuses it');
  if (typeof verdict === 'object' && 'wrong' in verdict) throw failure(target, input, verdict.wrong);
  return timed(target, input, verdict, began, limits);
}

function readOne(target: Target, reads: (input: Uint8Array) => boolean, input: Uint8Array, limits: InputLimit): Took {
  const began = performance.now();
  try {
    return timed(target, input, reads(input) ? READABLE : UNREADABLE, began, limits);
  } catch (thrown) {
    throw failure(target, input, `threw ${String(thrown)}`, thrown);
  }
}

function timed(target: Target, input: Uint8Array, verdict: Right, began: number, { inputMs }: InputLimit): Took {
  const ms = performance.now() - began;
  if (ms > inputMs) throw failure(target, input, `took ${ms.toFixed(0)} ms`);
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
