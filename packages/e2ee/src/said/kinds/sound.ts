/** What a listener's connection carries of each voice, bits a second; null: all of it. Who speaks keeps to the least that is asked. */
import { z } from 'zod';
import { jsonKind } from '../kind.ts';

/** Below it speech is no more words, so that nobody can silence others with it. */
export const SOUND_MIN_BPS = 6_000;

export const sound = jsonKind(z.strictObject({ most: z.number().int().min(SOUND_MIN_BPS).max(64_000).nullable() }), {
  keep: 'last',
  bytesMax: 32,
});
