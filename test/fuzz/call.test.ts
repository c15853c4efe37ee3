/** The decoders of groups, frames and messages (`suite.ts` says how). */
import { CALL } from './targets.ts';
import { fuzzAll } from './suite.ts';

fuzzAll(CALL);
