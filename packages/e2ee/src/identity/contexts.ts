/** Signature contexts (FIPS 204 §5.2): what is signed for one purpose is nothing for another. */
export const BUNDLE_CONTEXT = 'veilcast/1 bundle';
export const LEAF_CONTEXT = 'veilcast/1 leaf';
export const REVOCATIONS_CONTEXT = 'veilcast/1 revocations';
export const REVOKE_CONTEXT = 'veilcast/1 revoke';
export const HEAD_CONTEXT = 'veilcast/1 log head';
