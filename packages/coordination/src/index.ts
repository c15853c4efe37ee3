export * from './memory.ts';
export type * from './ports.ts';
