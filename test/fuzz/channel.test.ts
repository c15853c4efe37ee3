/** The decoders of the channel and of identities (`suite.ts` says how). */
import { SEALED } from './targets.ts';
import { fuzzAll } from './suite.ts';

fuzzAll(SEALED);
