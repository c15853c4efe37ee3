/** The JSON inside of the handshake's messages. Binary is hexadecimal. All of it is sealed, and all of it is in the transcript. */
import { z } from 'zod';
import { PSK_ID_BYTES, PSK_LIFE_MS } from './constants.ts';

const hexOf = (bytes: number) =>
  z
    .string()
    .length(2 * bytes)
    .regex(/^[0-9a-f]+$/);
const numbers = z.array(z.number().int().min(1).max(255)).min(1).max(8);

export const M1Payload = z.strictObject({
  /** What the client speaks, best first. */
  versions: numbers,
  suites: numbers,
  nonce: hexOf(16),
  /** Name of a pre-shared key of an earlier connection. */
  psk: hexOf(PSK_ID_BYTES).optional(),
});

export const M2Payload = z.strictObject({
  version: z.number().int().min(1).max(255),
  suite: z.number().int().min(1).max(255),
  nonce: hexOf(16),
  /** The server's clock, ms since the Unix epoch. */
  time: z.number().int().nonnegative(),
});

/** Of processes that are named in m4; more help nobody. */
export const OTHERS_MAX = 8;

/** m4. `pskMs`: how long the pre-shared key of this connection, and of each round after it, is known. */
export const Welcome = z.strictObject({
  pskMs: z.number().int().min(0).max(PSK_LIFE_MS),
  /** Where the other signaling processes of the cluster are: a client whose socket breaks goes on there (ADR 0029). */
  others: z
    .array(z.url({ protocol: /^https?$/ }).max(256))
    .max(OTHERS_MAX)
    .optional(),
});
export type Welcome = z.infer<typeof Welcome>;
