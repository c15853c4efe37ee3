export * from './config.ts';
export * from './lease.ts';
export * from './lifecycle.ts';
export * from './log.ts';
export * from './metrics.ts';
export * from './register.ts';
export type * from './service.ts';
export * from './store.ts';
export * from './system.ts';
