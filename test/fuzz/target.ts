/** What is fuzzed: a decoder, valid inputs of it, and when it may take one that was made from them. */
import { ClusterError } from '@veilcast/protocol';
import { same } from './mutate.ts';

/** `refused` by a code; `taken`: it is one of the valid inputs, or says the same as its own encoding. Anything else is a failure. */
export type Verdict = { readonly refused: string } | 'taken' | { readonly wrong: string };

export interface Target {
  readonly name: string;
  /** What counts as taken rightly, for the report. */
  readonly accepts: string;
  readonly seeds: readonly Uint8Array[];
  /**
   * Whether it has the form of one, by the reader that looks at a message before any key, tag or signature is. What has not, `take`
   * refuses; what has, costs `take` a computation. Must not throw or hang either. Without it `take` is as cheap as that itself.
   */
  readonly reads?: (input: Uint8Array) => boolean;
  /** Must neither throw nor hang, whatever it is given. */
  take(input: Uint8Array): Verdict | Promise<Verdict>;
}

export type MakeTarget = () => Target | Promise<Target>;

export const NONE: Verdict = { refused: 'none' };

/** A reader that answers undefined for what is none, and the one encoding of what it read. */
export function canonical<T>(
  name: string,
  seeds: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => T | undefined,
  encode: (value: T) => Uint8Array | Promise<Uint8Array>,
): Target {
  return {
    name,
    accepts: 'its own encoding, byte for byte',
    seeds,
    async take(input) {
      const value = decode(input);
      if (value === undefined) return NONE;
      return same(await encode(value), input) ? 'taken' : { wrong: 'taken in another encoding than its own' };
    },
  };
}

/** A reader behind a key: it may take what was sealed or signed, and nothing else. */
export function sealed(
  name: string,
  seeds: readonly Uint8Array[],
  open: (bytes: Uint8Array) => Promise<Verdict>,
  reads?: (input: Uint8Array) => boolean,
): Target {
  return {
    name,
    ...(reads && { reads }),
    accepts: 'what was sealed or signed, byte for byte',
    seeds,
    async take(input) {
      const verdict = await open(input);
      if (verdict !== 'taken') return verdict;
      return seeds.some((seed) => same(seed, input)) ? 'taken' : { wrong: 'taken, and nobody made it' };
    },
  };
}

/** Undefined where a ClusterError is thrown; anything else that is thrown is thrown on. */
export function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (thrown) {
    if (!(thrown instanceof ClusterError)) throw thrown;
    return undefined;
  }
}

/** For `reads`: a reader that throws a ClusterError for what is none. */
export const readsBy = (read: (input: Uint8Array) => object) => (input: Uint8Array) =>
  unlessRefused(() => read(input)) !== undefined;

/** The code of a ClusterError; anything else that is thrown is thrown on. */
export async function byCode(codes: readonly string[], attempt: () => Promise<unknown>): Promise<Verdict> {
  try {
    await attempt();
    return 'taken';
  } catch (thrown) {
    if (!(thrown instanceof ClusterError)) throw thrown;
    return codes.includes(thrown.code) ? { refused: thrown.code } : { wrong: `refused with ${thrown.code}` };
  }
}
