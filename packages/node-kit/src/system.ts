/** The real clock and real randomness; everything else takes them as arguments. */
import type { Clock, Random } from '@veilcast/protocol';
import { randomBytes, randomInt } from 'node:crypto';

/** setTimeout's own bound; a longer wait would fire at once. */
const WAIT_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(Math.max(0, ms), WAIT_MAX_MS));
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, Math.min(Math.max(1, ms), WAIT_MAX_MS));
    return () => clearInterval(timer);
  },
};

/** 32, so that five bits of a byte choose one evenly; no letters that are read as others. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const ID_LENGTH = 16;

export const systemRandom: Random = {
  float: () => randomInt(2 ** 47) / 2 ** 47,
  id: (prefix) => {
    let id = `${prefix}_`;
    for (const byte of randomBytes(ID_LENGTH)) id += ALPHABET[byte % ALPHABET.length];
    return id;
  },
};
