/** Asks a running cluster's Authentication Service for a join token. */
import { z } from 'zod';
import { ClusterError, parseWith, ParticipantId, WireError, type Role, type RoomId } from '@veilcast/protocol';

const Issued = z.object({ token: z.string().max(8192) });

export interface TokenRequest {
  readonly room: RoomId;
  readonly role: Role;
  /** Becomes the participant id, so it must be one. */
  readonly name?: string;
  readonly url: string;
}

/** @throws ClusterError MALFORMED for a name that is no id, DISCONNECTED when nothing answers, or the service's own code */
export async function requestToken(request: TokenRequest): Promise<string> {
  const participant = request.name === undefined ? undefined : parseWith(ParticipantId, request.name);
  const body = { room: request.room, role: request.role, ...(participant === undefined ? {} : { participant }) };
  const response = await fetch(new URL('/api/token', request.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5_000),
  }).catch((cause: unknown) => {
    throw new ClusterError(
      'DISCONNECTED',
      `Nothing answers at ${request.url}. Start it with ./veilcast up, or name it with --url.`,
      { cause },
    );
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok) return parseWith(Issued, answer).token;
  const refused = z.object({ error: WireError }).safeParse(answer);
  throw refused.success
    ? ClusterError.fromWire(refused.data.error)
    : new ClusterError('INTERNAL', `HTTP ${response.status}`);
}
