/** What any signaling process of the cluster can answer is asked of the next one where one does not answer (ADR 0029). */
import { ClusterError } from '@veilcast/protocol';

/**
 * The first answer, in the order of the urls. A refusal is an answer: the next one would say the same.
 * @throws ClusterError DISCONNECTED where nobody answers, or what was refused
 */
export async function firstAnswer<T>(urls: readonly string[], ask: (url: string) => Promise<T>): Promise<T> {
  let failure = new ClusterError('DISCONNECTED', 'signaling cannot be reached');
  for (const url of urls) {
    try {
      return await ask(url);
    } catch (thrown) {
      if (thrown instanceof ClusterError && thrown.code !== 'DISCONNECTED') throw thrown;
      failure =
        thrown instanceof ClusterError ? thrown : new ClusterError('DISCONNECTED', undefined, { cause: thrown });
    }
  }
  throw failure;
}
