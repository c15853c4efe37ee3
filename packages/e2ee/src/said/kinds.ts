/** Every kind there is: a line for each. The keys are their names on the wire. */
import type { Kind } from './kind.ts';
import { chat } from './kinds/chat.ts';
import { direct } from './kinds/direct.ts';
import { hand } from './kinds/hand.ts';
import { logHead } from './kinds/log-head.ts';
import { profile } from './kinds/profile.ts';
import { ask, askHistory, heads, history } from './kinds/repair.ts';
import { sound } from './kinds/sound.ts';

export const KINDS = { profile, hand, chat, logHead, sound, direct, ask, heads, askHistory, history } as const;

export type KindName = keyof typeof KINDS;
export type ValueOf<N extends KindName> = (typeof KINDS)[N] extends Kind<infer T> ? T : never;
/** Spoken by the stream itself. */
export type ControlName = 'ask' | 'heads' | 'askHistory' | 'history';
/** What applications say and hear. */
export type SayingName = Exclude<KindName, ControlName>;
export type Saying = { [N in SayingName]: { readonly kind: N; readonly value: ValueOf<N> } }[SayingName];
/** One of any kind. */
export type AnySaid = { [N in KindName]: { readonly kind: N; readonly value: ValueOf<N> } }[KindName];

export function isKindName(name: string): name is KindName {
  return Object.hasOwn(KINDS, name);
}

/** Undefined for a payload that is not of its kind. */
export function decodeSaid(kind: KindName, payload: Uint8Array): AnySaid | undefined {
  const value = KINDS[kind].decode(payload);
  return value === undefined ? undefined : ({ kind, value } as AnySaid);
}
