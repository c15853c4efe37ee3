/**
 * Asking others whether they hear a node that we do not: a cut link looks like a dead host to one observer, and not to two. Signaling and the
 * cascade-routers ask each other over the Channels that they have anyway.
 */
import type { CallBody, Channel, Result } from './channel.ts';
import { resultOf } from './frames.ts';
import { CHANNEL_LIMITS } from './limits.ts';
import type { Neighbours } from './neighbours.ts';
import { WITNESS_MS } from './doubt.ts';

/** As many are asked. More: a large cluster asks itself about each of its dead. */
const WITNESSES_MAX = 3;

/** The answer to `witness`, by our own Channels to nodes. */
export function witnessed(
  silentMs: Neighbours['silentMs'],
  { processId, incarnation }: Pick<CallBody<'witness'>, 'processId' | 'incarnation'>,
): Result {
  const silent = silentMs(processId, incarnation);
  return resultOf('witnessed', { hears: silent !== undefined, silentMs: silent ?? 0 });
}

/** Whether one of these hears this life of a node, and has done so since it could be dead for us. */
export async function isHeardBy(
  witnesses: readonly Channel[],
  processId: string,
  incarnation: string,
): Promise<boolean> {
  const asked = witnesses.slice(0, WITNESSES_MAX).map(async (witness) => {
    const answer = await witness.request('witness', { processId, incarnation }, { deadlineMs: WITNESS_MS });
    if (!answer.hears || answer.silentMs > CHANNEL_LIMITS.pingMs * CHANNEL_LIMITS.quietPings) throw new Error('silent');
  });
  return Promise.any(asked).then(
    () => true,
    () => false,
  );
}
