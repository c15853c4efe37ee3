/** The newest signed head of the log of bundles that a member knows, for the others to compare (ADR 0012). */
import { z } from 'zod';
import { jsonKind } from '../kind.ts';

/** base64url of a head: 3,358 bytes. */
const HEAD_CHARS = 4_478;

export const logHead = jsonKind(z.strictObject({ head: z.string().max(HEAD_CHARS) }), {
  way: 'loose',
  bytesMax: HEAD_CHARS + 64,
});
