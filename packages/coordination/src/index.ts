export * from './memory.ts';
export type * from './ports.ts';
export { renewEveryMs } from './settle.ts';
