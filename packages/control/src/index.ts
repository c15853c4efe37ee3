export * from './carrier.ts';
export type * from './channel.ts';
export * from './dial.ts';
export type { Verdict } from './doubt.ts';
export { callBody, decodeFrame, eventOf, jsonOf, JSON_TEXT_MAX, readJson, resultOf } from './frames.ts';
export * from './identity.ts';
export * from './limits.ts';
export * from './memory.ts';
export * from './neighbours.ts';
export * from './open-channel.ts';
export * from './registry.ts';
export { TermMemory, type AuthorityKind } from './terms.ts';
export * from './witness.ts';
/** The generated messages and their schemas. */
export * as wire from './gen/veilcast/control/v1/control_pb.ts';
