export type * from './model.ts';
export { decodeHeader, encodeHeader, type Header, packKeyId, unpackKeyId } from './header.ts';
export { Keyring, LEAVES_MAX, OLD_EPOCH_MS, SEAL_DELAY_MS, STREAMS_MAX } from './keyring.ts';
export type { Opener, OpenerOptions } from './opener.ts';
export type { Sealer } from './sealer.ts';
export { deriveFrameKey, importBaseKey, openPlain, sealPlain, type Suite, SUITE_4, SUITE_5 } from './suite.ts';
