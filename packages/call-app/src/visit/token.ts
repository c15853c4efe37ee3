/** Asks signaling's development endpoint for a join token. In a cluster the link brings its own. */
import { ClusterError, WireError, type Role } from '@veilcast/protocol';

/** An answer takes milliseconds; longer than this and the person is told. */
const DEADLINE_MS = 10_000;

/** @throws ClusterError with the code that signaling answered, DISCONNECTED or DEADLINE */
export async function fetchToken(room: string, role: Role): Promise<string> {
  const response = await ask(room, role);
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && hasToken(body)) return body.token;
  throw refusal(response.status, body);
}

async function ask(room: string, role: Role): Promise<Response> {
  try {
    return await fetch('/api/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ room, role }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  } catch (cause) {
    const late = cause instanceof DOMException && cause.name === 'TimeoutError';
    throw new ClusterError(late ? 'DEADLINE' : 'DISCONNECTED', undefined, { cause });
  }
}

function hasToken(body: unknown): body is { readonly token: string } {
  return typeof body === 'object' && body !== null && 'token' in body && typeof body.token === 'string';
}

function refusal(status: number, body: unknown): ClusterError {
  const told = typeof body === 'object' && body !== null && 'error' in body ? body.error : body;
  const wire = WireError.safeParse(told);
  if (wire.success) return ClusterError.fromWire(wire.data);
  if (status === 429) return new ClusterError('RATE_LIMITED');
  return new ClusterError(status === 401 || status === 403 ? 'UNAUTHORIZED' : 'INTERNAL');
}
