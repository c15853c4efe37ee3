/** Asks signaling's development endpoint for a join token. In a cluster the link brings its own. */
import { ClusterError, ParticipantId, WireError, type ErrorCode, type Role } from '@veilcast/protocol';
import { remember, remembered } from './memory.ts';

/** An answer takes milliseconds; after a cut the browser may ask over a connection that is dead, and must try another soon. */
const DEADLINE_MS = 3_000;
/** A token must live this much longer than now to be used again. */
const SPARE_MS = 30_000;
const UNANSWERED: ReadonlySet<ErrorCode> = new Set(['DISCONNECTED', 'DEADLINE']);

/**
 * The tokens of one person, each fetched when the call enters or comes back, since a token lives for minutes; while nobody gives one,
 * the last is as good. This browser comes as the same user each time, so that others who verified its device know it again, and are
 * warned when the device is another.
 * @param told called with every one @throws ClusterError with the code that signaling answered, DISCONNECTED or DEADLINE
 */
export function openTokens(room: string, role: Role, told: () => void): () => Promise<string> {
  let user = ParticipantId.safeParse(remembered('user')).data;
  let last: string | undefined;
  return async () => {
    // The process that this page came from may be gone, and the call comes back over another.
    const token = await fetchToken(room, role, user).catch((thrown: unknown) => {
      if (last !== undefined && UNANSWERED.has(ClusterError.of(thrown).code) && isAlive(last)) return last;
      throw thrown;
    });
    const named = ParticipantId.safeParse(participantOf(token)).data;
    if (named !== undefined) remember('user', (user = named));
    last = token;
    told();
    return token;
  };
}

/** Whom a token names. */
function participantOf(token: string): string | undefined {
  const named = claimsOf(token)['sub'];
  return typeof named === 'string' ? named : undefined;
}

function isAlive(token: string): boolean {
  return Number(claimsOf(token)['exp']) * 1_000 > Date.now() + SPARE_MS;
}

/** What a token says. The page believes it of its own token; only signaling has to check it. */
function claimsOf(token: string): Record<string, unknown> {
  try {
    const payload: unknown = JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')));
    return typeof payload === 'object' && payload !== null ? { ...payload } : {};
  } catch {
    return {};
  }
}

/** One token. @throws ClusterError as above */
export async function fetchToken(room: string, role: Role, participant?: string): Promise<string> {
  const response = await ask({ room, role, participant });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok && hasToken(body)) return body.token;
  throw refusal(response.status, body);
}

async function ask(wanted: { room: string; role: Role; participant: string | undefined }): Promise<Response> {
  try {
    return await fetch('/api/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(wanted),
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
