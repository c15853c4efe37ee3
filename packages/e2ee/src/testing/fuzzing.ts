/** What the fuzzer of the whole repository needs of here: readers, and makers of valid inputs. */
export { readBroadcast } from '../channel/broadcast.ts';
export { readJson } from '../channel/bytes.ts';
export { CONTENT } from '../channel/constants.ts';
export { decodeContent, encodeContent } from '../channel/content.ts';
export { readM1, readM2, readM3 } from '../channel/layout.ts';
export { M1Payload, M2Payload, Welcome } from '../channel/payloads.ts';
export { Opener, readRecord, Sealer } from '../channel/records.ts';
export { CLAIMS, NOW, openWorld } from '../channel/session.fixture.ts';
export { splitCredential } from '../credential.ts';
export { claimsOf, groupOf, library, newAuthority, person, ROOM } from '../fixture.ts';
export { decodeFrame, encodeFrame } from '../said/frame.ts';
export { type KindName, KINDS } from '../said/kinds.ts';
