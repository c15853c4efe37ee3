export * from './carrier.ts';
export * from './channel.ts';
