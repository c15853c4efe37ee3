/** A hand raised or lowered. */
import { z } from 'zod';
import { jsonKind } from '../kind.ts';

export const hand = jsonKind(z.strictObject({ raised: z.boolean() }), { keep: 'last', bytesMax: 32 });
