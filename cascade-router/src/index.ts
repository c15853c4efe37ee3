export * from './cascade-router.ts';
export * from './config.ts';
