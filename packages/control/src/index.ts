export type * from './carrier.ts';
export type * from './channel.ts';
export * from './registry.ts';
