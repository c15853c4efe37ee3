/** What a server says before there are keys, or instead of them. */
import { ClusterError, WireError, type ErrorCode } from '@veilcast/protocol';

/** Codes that are believed before there are keys. None of them says that somebody may do something. */
const CLEAR_CODES: ReadonlySet<ErrorCode> = new Set(['RATE_LIMITED', 'OVERLOADED', 'UNSUPPORTED', 'CHANNEL_CLOSED']);

/** What is said in the clear may be anybody's word. */
export function alertOf(alert: Uint8Array): ClusterError {
  try {
    const { code, retryMs } = WireError.parse(JSON.parse(new TextDecoder().decode(alert.subarray(1))));
    if (CLEAR_CODES.has(code)) return ClusterError.fromWire({ code, ...(retryMs === undefined ? {} : { retryMs }) });
  } catch {
    // Then it says nothing.
  }
  return new ClusterError('HANDSHAKE_FAILED', 'the server refused');
}
