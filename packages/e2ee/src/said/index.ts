export { type Kind, jsonKind } from './kind.ts';
export { KINDS, type Saying, type SayingName, type ValueOf } from './kinds.ts';
export { CHAT_MAX } from './kinds/chat.ts';
export { NAME_MAX } from './kinds/profile.ts';
export type { Standing } from './newcomers.ts';
export type { Sending } from './outgoing.ts';
export { type Entry, LOG_MAX } from './record.ts';
export { type Heard, Said, type SaidOutside, type SaidRefusal } from './said.ts';
export type { Speaker } from './streams.ts';
