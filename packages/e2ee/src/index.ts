export * from './group.ts';
export { authenticatorDigits, groupCode } from './code.ts';
export {
  type AuthorityKey,
  CredentialClaims,
  credentialValidator,
  type LeafCredential,
  verifyCredential,
} from './credential.ts';
export { inspect, type Inspected } from './framing.ts';
export { PLAINTEXT_MAX } from './messages.ts';
export { rehearse } from './rehearsal.ts';
export { SUITE } from './suite.ts';
export { tsMlsLibrary } from './ts-mls.ts';
