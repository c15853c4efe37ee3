/**
 * What people tell each other through the group: names, hands and chat, as small JSON inside sealed application
 * messages. The server routes the bytes and reads none of it. Parsed with limits first: a member may be hostile too.
 */
import { z } from 'zod';

/** A line of chat, characters. */
export const CHAT_MAX = 4_000;
/** As long as the name that a host sees at the door. */
export const NAME_MAX = 64;
/** Before any parsing: CHAT_MAX characters of four bytes, escaped, and the frame around them. */
const TALK_BYTES_MAX = 32_768;

const Profile = z.strictObject({
  kind: z.literal('profile'),
  name: z.string().max(NAME_MAX),
  handRaised: z.boolean(),
});
const Chat = z.strictObject({
  kind: z.literal('chat'),
  id: z.string().min(1).max(64),
  text: z.string().min(1).max(CHAT_MAX),
  at: z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER),
});

/** One message between members. */
export const Talk = z.discriminatedUnion('kind', [Profile, Chat]);
export type Talk = z.infer<typeof Talk>;

const AnyKind = z.looseObject({ kind: z.string().max(32) });

/** unknown: a kind of a later version, to be counted and left alone. */
export type Heard =
  | { readonly outcome: 'heard'; readonly talk: Talk }
  | { readonly outcome: 'unknown' }
  | { readonly outcome: 'malformed' };

/** @throws ZodError when the message does not fit its own limits */
export function encodeTalk(talk: Talk): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(Talk.parse(talk)));
}

/** Never throws: bytes of a stranger are an outcome, not an exception. */
export function decodeTalk(bytes: Uint8Array): Heard {
  if (bytes.byteLength > TALK_BYTES_MAX) return { outcome: 'malformed' };
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { outcome: 'malformed' };
  }
  const parsed = Talk.safeParse(json);
  if (parsed.success) return { outcome: 'heard', talk: parsed.data };
  const any = AnyKind.safeParse(json);
  const known = any.success && (any.data.kind === 'profile' || any.data.kind === 'chat');
  return { outcome: any.success && !known ? 'unknown' : 'malformed' };
}
