/** What the reference group is made of: the tree, the messages on the wire, the secrets of an Epoch. */
import { z } from 'zod';
import { derive, publicOf } from './ideal.ts';

const Box = z.strictObject({ to: z.string(), id: z.string() });
const Leaf = z.strictObject({
  credential: z.string(),
  /** Public signature key, hexadecimal digits. */
  leafKey: z.string(),
  /** Public encryption key. */
  enc: z.string(),
});
export type Leaf = z.infer<typeof Leaf>;

const Common = { group: z.string(), room: z.string(), epoch: z.number().int().nonnegative() };

const GroupInfo = z.strictObject({
  kind: z.literal('groupInfo'),
  ...Common,
  leaves: z.array(Leaf.nullable()),
  transcript: z.string(),
  externalPublic: z.string(),
  signer: z.number().int().nonnegative(),
  signature: z.string(),
});
export type GroupInfo = z.infer<typeof GroupInfo>;

const KeyPackage = z.strictObject({
  kind: z.literal('keyPackage'),
  room: z.string(),
  leaf: Leaf,
  /** Public key, for the Welcome alone. */
  init: z.string(),
  signature: z.string(),
});
export type KeyPackage = z.infer<typeof KeyPackage>;

const Welcome = z.strictObject({
  kind: z.literal('welcome'),
  ...Common,
  /** Of the GroupInfo that it belongs to, which anybody could sign who sits in the tree. */
  transcript: z.string(),
  confirmation: z.string(),
  /** The secret of the Epoch, by who it is for: the public key of a KeyPackage. */
  secrets: z.record(z.string(), Box),
});
export type Welcome = z.infer<typeof Welcome>;

const Commit = z.strictObject({
  kind: z.literal('commit'),
  ...Common,
  /** Null: somebody who enters, with a new initial secret for whoever has the Epoch's external key. */
  sender: z.number().int().nonnegative().nullable(),
  init: Box.nullable(),
  removes: z.array(z.number().int().nonnegative()),
  adds: z.array(KeyPackage),
  leaf: Leaf,
  /** The Commit's secret, for each leaf that stays. Null: no update path. */
  path: z.record(z.string(), Box).nullable(),
  signature: z.string(),
  /** By whoever has the Epoch's membership key; entrants have it not. */
  membership: z.string(),
  confirmation: z.string(),
});
export type Commit = z.infer<typeof Commit>;

const Application = z.strictObject({
  kind: z.literal('application'),
  ...Common,
  leaf: z.number().int().nonnegative(),
  generation: z.number().int().nonnegative(),
  mark: z.string(),
  statement: z.string(),
  box: Box,
});
export type Application = z.infer<typeof Application>;

const Message = z.discriminatedUnion('kind', [GroupInfo, KeyPackage, Welcome, Commit, Application]);
export type Message = z.infer<typeof Message>;

export function encode(message: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

export function decode(bytes: Uint8Array): Message | undefined {
  try {
    const parsed = Message.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** What everybody in an Epoch can derive from its one secret. */
type Use = 'init' | 'base' | 'authenticator' | 'membership' | 'confirmation' | 'external' | 'application';

export function secretFor(use: Use, epochSecret: string): string {
  return derive(use, epochSecret);
}

export function externalPublicOf(epochSecret: string): string {
  return publicOf(secretFor('external', epochSecret));
}

/** The secret of the Epoch that a Commit makes. Needs the secret before (or the entrant's), and the Commit's. */
export function nextSecret(init: string, commitSecret: string, transcript: string): string {
  return derive('epoch', init, commitSecret, transcript);
}

/** What the signature of a KeyPackage covers. */
export function offerOf({ signature: _s, ...content }: KeyPackage): string {
  return JSON.stringify(content);
}

/** What a signature and a transcript cover. */
export function contentOf({ signature: _s, membership: _m, confirmation: _c, ...content }: Commit): string {
  return JSON.stringify(content);
}

export function transcriptOf(before: string, commit: Commit): string {
  return derive('transcript', before, contentOf(commit), commit.signature);
}

/** The base key that an Epoch's secret leads to, as hexadecimal digits. */
export function baseKeyOf(epochSecret: string): string {
  const base = secretFor('base', epochSecret);
  return base + base;
}
