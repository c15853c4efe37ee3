/** What the fuzzer of the whole repository needs of here: readers, and makers of valid inputs. */
export { CONTENT } from '../channel/constants.ts';
export { Opener, Sealer } from '../channel/records.ts';
export { CLAIMS, NOW, openWorld } from '../channel/session.fixture.ts';
export { claimsOf, groupOf, library, newAuthority, person, ROOM } from '../fixture.ts';
export { decodeFrame, encodeFrame } from '../said/frame.ts';
export { type KindName, KINDS } from '../said/kinds.ts';
