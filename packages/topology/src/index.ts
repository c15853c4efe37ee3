export * from './adopt.ts';
export * from './diff.ts';
export * from './explain.ts';
export * from './linger.ts';
export type * from './model.ts';
export * from './pipes.ts';
export * from './place.ts';
export { plan } from './plan.ts';
export * from './reservations.ts';
