/** Who is who: bundles, statements, attestations, revocations and what people compare. No MLS in here. */
export * from './attestation.ts';
export * from './bundle.ts';
export * from './check.ts';
export * from './contexts.ts';
export * from './log-head.ts';
export * from './members.ts';
export * from './proof.ts';
export * from './revocations.ts';
export * from './safety-number.ts';
export * from './sealed-device.ts';
export * from './statement.ts';
export { fromBase64Url, toBase64Url } from '../base64url.ts';
export { equalBytes } from '../bytes.ts';
export { type AuthorityKey, type LeafCredential, verifyCredential } from '../credential.ts';
