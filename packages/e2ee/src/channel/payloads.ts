/** The JSON inside of the handshake's messages. Binary is hexadecimal. All of it is sealed, and all of it is in the transcript. */
import { WireError } from '@veilcast/protocol';
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

export const M3Payload = z.strictObject({ token: z.string().min(1).max(8_192) });

/** m4. `pskMs`: how long the pre-shared key of this connection will be known. */
export const Welcome = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), pskMs: z.number().int().min(0).max(PSK_LIFE_MS) }),
  z.strictObject({ ok: z.literal(false), error: WireError }),
]);
export type Welcome = z.infer<typeof Welcome>;
