/** How a person wants to be called. */
import { z } from 'zod';
import { jsonKind } from '../kind.ts';

/** As long as the name that a host sees at the door. */
export const NAME_MAX = 64;

export const profile = jsonKind(z.strictObject({ name: z.string().max(NAME_MAX) }), { keep: 'last', bytesMax: 512 });
