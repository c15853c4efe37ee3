import './jitless.ts';

export type * from './clock.ts';
export * from './errors.ts';
export * from './events.ts';
export * from './ids.ts';
export * from './limits.ts';
export * from './media.ts';
export * from './model.ts';
export * from './operator.ts';
export * from './parse.ts';
export * from './requests.ts';
