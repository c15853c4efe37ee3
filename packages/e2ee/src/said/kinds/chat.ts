/** A line of chat. */
import { z } from 'zod';
import { jsonKind } from '../kind.ts';

/** UTF-16 units of a line. */
export const CHAT_MAX = 4_000;

export const chat = jsonKind(
  z.strictObject({
    text: z.string().min(1).max(CHAT_MAX),
    /** The speaker's clock, ms since the Unix epoch. Shown, never used for order. */
    at: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
  }),
  // Six bytes a unit where JSON escapes it, and the frame around it.
  { keep: 'log', bytesMax: 6 * CHAT_MAX + 64 },
);
