/** What members say to each other so that nothing said is missing: control, never shown. */
import { PeerId } from '@veilcast/protocol';
import { z } from 'zod';
import { NUMBER_MAX, KIND_NAME_MAX } from '../frame.ts';
import { jsonKind } from '../kind.ts';
import { NAME_MAX } from './profile.ts';

/** Frames that one question may ask for. */
export const ASK_MAX = 64;
/** Things of a history answer, and their bytes as JSON. Newcomers get the newest. */
export const HISTORY_ENTRIES_MAX = 300;
export const HISTORY_BYTES_MAX = 131_072;
/** Newcomers whom one answer is for. */
const ANSWERED_MAX = 128;

const Stream = z.string().regex(/^[0-9a-f]{32}$/);
const Number48 = z.number().int().min(1).max(NUMBER_MAX);

/** Frames of a stream that did not come, asked of one member. */
export const ask = jsonKind(
  z.strictObject({ of: PeerId, stream: Stream, from: Number48, count: z.number().int().min(1).max(ASK_MAX) }),
  { way: 'loose', bytesMax: 512 },
);

/** The number of the speaker's next frame, said once it has been quiet: a lost last line is missed so. */
export const heads = jsonKind(z.strictObject({ next: Number48 }), { way: 'loose', bytesMax: 64 });

/** A newcomer whom nobody told what the Room keeps asks the next member in the order of leaves. */
export const askHistory = jsonKind(z.strictObject({ of: PeerId }), { way: 'loose', bytesMax: 256 });

/** One thing said before, as the answering member has it. */
export const HistoryEntry = z.strictObject({
  stream: Stream,
  number: Number48,
  clock: Number48,
  kind: z.string().max(KIND_NAME_MAX),
  /** Who said it: their Peer then, and the name that they had. */
  by: PeerId,
  name: z.string().max(NAME_MAX),
  /** The payload, which is JSON in every kind that is kept. */
  payload: z.string().max(65_536),
});
export type HistoryEntry = z.output<typeof HistoryEntry>;

export const history = jsonKind(
  z.strictObject({
    for: z.array(PeerId).min(1).max(ANSWERED_MAX),
    entries: z.array(HistoryEntry).max(HISTORY_ENTRIES_MAX),
  }),
  { way: 'loose', bytesMax: HISTORY_BYTES_MAX + 32_768 },
);
