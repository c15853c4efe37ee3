/** What the parts of an adapter share: how a script is run, and how its answer is read. */
import { ClusterError } from '@veilcast/protocol';
import type { z } from 'zod';
import type { Arg } from './link.ts';
import type { Script } from './scripts.ts';

/** What is done, for the metrics. */
export type Operation =
  | 'acquire'
  | 'renew'
  | 'release'
  | 'read'
  | 'put'
  | 'remove'
  | 'list'
  | 'sweep'
  | 'publish'
  | 'probe'
  | 'append'
  | 'journal'
  | 'forget';

export type Run = (
  operation: Operation,
  script: Script,
  keys: readonly string[],
  args: readonly Arg[],
) => Promise<unknown>;

/** What listeners do for which nobody here can be blamed. */
export interface Listening {
  /** @throws ClusterError CLOSED */
  readonly alive: () => void;
  /** Makes an end that happens once, at the latest with the view. */
  readonly owned: (end: () => void) => () => void;
  /** Told what a listener threw. */
  readonly report: (error: unknown) => void;
}

/** @throws ClusterError INTERNAL: another program writes under our keys, or another version of this one */
export function answerOf<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new ClusterError('INTERNAL', 'the store gave an answer that is none');
  return parsed.data;
}
