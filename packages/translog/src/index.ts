export * from './frontier.ts';
export { emptyRoot, HASH_BYTES, leafHash } from './hash.ts';
export { MerkleLog } from './log.ts';
export { extendsLog, includes, type InclusionClaim, type Seen } from './verify.ts';
