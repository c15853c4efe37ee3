/** What a Keyring shows to its Sealers and Openers: keys by time, on a clock that does not go back. */
import type { EpochKeyChain } from './epoch.ts';

export interface KeySource {
  /** The Keyring's time for the caller's `now`. */
  time(now: number): number;
  sealing(time: number): EpochKeyChain | undefined;
  opening(epochLow8: number, time: number): EpochKeyChain | undefined;
  /** Whether these low bits are rather of an Epoch before the newest than of one to come. */
  hasPassed(epochLow8: number): boolean;
}
