/**
 * What a kind of thing said is. A new one is one file in `kinds/` and its line in `kinds.ts`; members that do not know it
 * count it and go on, so that versions can meet.
 */
import type { z } from 'zod';
import { decodeText } from '../bytes.ts';
import type { Way } from './frame.ts';

/** What newcomers get of it. nothing: gone once heard. last: the latest of each member present. log: all, bounded. */
export type Keep = 'nothing' | 'last' | 'log';

export interface Kind<T> {
  readonly way: Way;
  readonly keep: Keep;
  /** Longest payload, enforced before it is parsed, and before its pieces are gathered. */
  readonly bytesMax: number;
  /** @throws ZodError when the value does not fit its own limits */
  encode(value: T): Uint8Array;
  /** Undefined for what is malformed. Never throws. */
  decode(payload: Uint8Array): T | undefined;
}

interface KindOptions {
  readonly way?: Way;
  readonly keep?: Keep;
  readonly bytesMax: number;
}

/** A kind whose payload is JSON under a schema. */
export function jsonKind<S extends z.ZodType>(
  schema: S,
  { way = 'ordered', keep = 'nothing', bytesMax }: KindOptions,
): Kind<z.output<S>> {
  return {
    way,
    keep,
    bytesMax,
    encode: (value) => new TextEncoder().encode(JSON.stringify(schema.parse(value))),
    decode(payload) {
      const text = payload.length > bytesMax ? undefined : decodeText(payload);
      const parsed = text === undefined ? undefined : schema.safeParse(jsonOf(text));
      return parsed?.success === true ? parsed.data : undefined;
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
