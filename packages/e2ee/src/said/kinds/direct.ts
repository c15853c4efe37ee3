/**
 * What two members say to each other so that their media goes directly (ADR 0034): wishes, descriptions, addresses, and what of
 * the other each shows from there. Nobody but members ever reads an address.
 */
import { PeerId, Source } from '@veilcast/protocol';
import { z } from 'zod';
import { jsonKind } from '../kind.ts';

/** A description of four streams with the codecs that we can seal: 4 kB in Chromium. */
export const SDP_MAX = 12_000;
/** Addresses in one message. */
export const CANDIDATES_MAX = 32;

/** Counts the tries of one pair. What belongs to an older one is passed over. */
const Attempt = z.number().int().min(1).max(2_147_483_647);
const Sdp = z.string().min(1).max(SDP_MAX);
const Sources = z.array(Source).max(4);
const Pixels = z.number().int().nonnegative().max(8_192);

const DirectStep = z.discriminatedUnion('step', [
  /** Whether the speaker would. Without the wish of both no address is gathered. */
  z.strictObject({ step: z.literal('wish'), open: z.boolean() }),
  z.strictObject({ step: z.literal('offer'), attempt: Attempt, sdp: Sdp }),
  z.strictObject({ step: z.literal('answer'), attempt: Attempt, sdp: Sdp }),
  z.strictObject({
    step: z.literal('candidates'),
    attempt: Attempt,
    list: z
      .array(z.strictObject({ candidate: z.string().max(512), mid: z.string().max(16) }))
      .min(1)
      .max(CANDIDATES_MAX),
  }),
  /** All that the speaker shows from the direct path: the server need not get it. */
  z.strictObject({ step: z.literal('shows'), attempt: Attempt, sources: Sources }),
  /** How large the speaker shows the other's pictures, device pixels; 0: not at all. */
  z.strictObject({
    step: z.literal('fits'),
    attempt: Attempt,
    tiles: z.array(z.strictObject({ source: Source, width: Pixels, height: Pixels })).max(2),
  }),
  /** The speaker goes back to the server's path, and the other should. `failed`: since this one does not carry. */
  z.strictObject({ step: z.literal('back'), attempt: Attempt, failed: z.boolean() }),
]);
export type DirectStep = z.output<typeof DirectStep>;

export const direct = jsonKind(
  /** `from`: who said it, so that what was held back over a reconnect is known to be old. */
  z.strictObject({ from: PeerId, to: PeerId, say: DirectStep }),
  // One piece; what a description escapes as JSON are its line ends.
  { bytesMax: 16_000 },
);
