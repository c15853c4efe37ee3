/** mediasoup's exceptions as ours, in one place. Its messages may hold what a stranger sent, so they stay in `cause`. */
import { ClusterError, type ErrorCode } from '@veilcast/protocol';

/** Whatever a call to mediasoup threw. `refused`: what its worker's plain no means for this call. */
export function mediaError(thrown: unknown, refused: ErrorCode = 'INTERNAL'): ClusterError {
  if (thrown instanceof ClusterError) return thrown;
  switch (thrown instanceof Error ? thrown.name : '') {
    case 'TypeError':
    case 'UnsupportedError':
      return new ClusterError('MALFORMED', 'refused by the media worker', { cause: thrown });
    case 'NotFoundError':
      return new ClusterError('NOT_FOUND', undefined, { cause: thrown });
    case 'WorkerClosedError':
      return new ClusterError('WORKER_DIED', undefined, { cause: thrown });
    default:
      return refused === 'INTERNAL' ? ClusterError.of(thrown) : new ClusterError(refused, undefined, { cause: thrown });
  }
}

/** Runs a call to mediasoup. @throws ClusterError and nothing else */
export async function media<T>(call: Promise<T>, refused?: ErrorCode): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw mediaError(error, refused);
  }
}
