export * from './certificates.ts';
export * from './folder.ts';
