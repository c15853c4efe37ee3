export * from './server.ts';
export * from './sets.ts';
