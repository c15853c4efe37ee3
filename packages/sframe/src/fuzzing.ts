/** What the fuzzer of the whole repository needs of here: members with keys, and frames of every codec. */
export { takeSealedApart } from './clear.ts';
export { frame, install, keyringOf } from './fixture.ts';
export { ENCODED, encodedFrames, slices, tiles } from './units.fixture.ts';
