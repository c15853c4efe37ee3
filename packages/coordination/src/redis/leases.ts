/** Leases in Redis: a record a key, changed by scripts alone. What is guaranteed, and what is not, stands in ADR 0022. */
import { ClusterError } from '@veilcast/protocol';
import { z } from 'zod';
import type { LeaseStore } from '../ports.ts';
import { settleMs } from '../settle.ts';
import type { Keys } from './keys.ts';
import { ACQUIRE, READ, RELEASE, RENEW } from './scripts.ts';
import { answerOf, type Run } from './view.ts';

/**
 * How long a Term is remembered after its Lease. The clock alone makes later Terms greater; this covers a clock that was set
 * back, and keeps a late renewal of what was released from bringing it back.
 */
const MEMORY_MS = 3_600_000;

const NAME_LENGTH = 1_024;

const text = z.string().max(NAME_LENGTH);
const number = z.number().int().nonnegative();
const Acquire = z.union([
  z.tuple([z.literal(1), number, number, z.union([z.literal(0), z.literal(1)])]),
  z.tuple([z.literal(0), text, number, number]),
  z.tuple([z.literal(2), number]),
]);
const Read = z.union([z.tuple([]), z.tuple([text, number, number])]);
const Yes = z.union([z.literal(0), z.literal(1)]);

/** `foundAgainAt` says how long ago the store was found again, ms; Infinity when it was never away. */
export function leasesIn(keys: Keys, run: Run, sinceFoundAgain: () => number): LeaseStore {
  return {
    acquire: async (key, owner, ttlMs) => {
      // So that what is read is never longer than what is believed.
      if (key.length > NAME_LENGTH || owner.length > NAME_LENGTH) throw new ClusterError('OVERSIZE');
      const settle = settleMs(ttlMs);
      const careful = Math.ceil(Math.max(0, settle - sinceFoundAgain()));
      const args = [owner, `${ttlMs}`, `${settle}`, `${careful}`, `${MEMORY_MS}`];
      const answer = answerOf(Acquire, await run('acquire', ACQUIRE, keys.lease(key), args));
      if (answer[0] === 2) return { kind: 'unsettled', retryMs: answer[1] };
      if (answer[0] === 0) {
        const [, holder, term, expiresAt] = answer;
        return { kind: 'refused', lease: { key, owner: holder, term, expiresAt } };
      }
      const [, term, expiresAt, isFirst] = answer;
      return { kind: 'held', lease: { key, owner, term, expiresAt }, isFirst: isFirst === 1 };
    },
    renew: async ({ key, owner, term }, ttlMs) => {
      const args = [owner, `${term}`, `${ttlMs}`, `${MEMORY_MS}`];
      return answerOf(Yes, await run('renew', RENEW, [keys.lease(key)[0]], args)) === 1;
    },
    release: async ({ key, owner, term }) =>
      answerOf(Yes, await run('release', RELEASE, [keys.lease(key)[0]], [owner, `${term}`])) === 1,
    read: async (key) => {
      const [owner, term, expiresAt] = answerOf(Read, await run('read', READ, [keys.lease(key)[0]], []));
      return owner === undefined || term === undefined || expiresAt === undefined
        ? undefined
        : { key, owner, term, expiresAt };
    },
  };
}
