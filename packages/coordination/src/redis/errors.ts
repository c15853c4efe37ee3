/** What a Redis or the way to it answers when it fails, as the codes that the rest of the system knows. No address gets into them. */
import { ClusterError } from '@veilcast/protocol';

/** When to ask again. Shorter: many who ask hold up the recovery. Longer: people wait for nothing. */
export const RETRY_MS = 1_000;

const KNOWN: readonly (readonly [
  prefix: RegExp,
  code: 'OVERLOADED' | 'STORE_UNAVAILABLE' | 'INTERNAL',
  detail: string,
])[] = [
  [/^OOM/, 'OVERLOADED', 'the store is full'],
  [/^(READONLY|NOREPLICAS|MISCONF)/, 'STORE_UNAVAILABLE', 'the store takes no writes now'],
  [
    /^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|UNKILLABLE|MOVED|ASK)/,
    'STORE_UNAVAILABLE',
    'the store is not ready',
  ],
  [/^(NOAUTH|WRONGPASS|NOPERM)/, 'STORE_UNAVAILABLE', 'the store refuses our credentials'],
  [/^WRONGTYPE/, 'INTERNAL', 'a key of ours holds something else: another program uses our key prefix'],
  [/^(ERR|NOSCRIPT|EXECABORT|CROSSSLOT)/, 'INTERNAL', 'the store does not understand us'],
];

/** An error of the client library. `detail` is a fixed text, or a system's error name such as ECONNREFUSED. */
export function coded(thrown: unknown): ClusterError {
  if (thrown instanceof ClusterError) return thrown;
  const message = thrown instanceof Error ? thrown.message : '';
  const known = KNOWN.find(([prefix]) => prefix.test(message));
  if (known !== undefined) return new ClusterError(known[1], known[2], { retryMs: RETRY_MS });
  const name = thrown instanceof Error && 'code' in thrown ? ` (${String(thrown.code)})` : '';
  return new ClusterError('STORE_UNAVAILABLE', `the connection to the store failed${name}`, { retryMs: RETRY_MS });
}

/** Whether this server will never take our writes again: it was a master, or its script engine hangs. */
export function isDemoted(thrown: unknown): boolean {
  return thrown instanceof Error && /^(READONLY|MASTERDOWN)/.test(thrown.message);
}
