/** The front door of the SDK: ten lines to a call (packages/client/README.md). */
import type { Call, ConnectOptions } from './call.ts';
import { LiveCall } from './live-call.ts';

/**
 * Enters the Room that the token names, or waits at its door (`snapshot.state` says which).
 * @throws ClusterError with the code that says why not
 */
export function connect(options: ConnectOptions): Promise<Call> {
  return LiveCall.connect(options);
}
