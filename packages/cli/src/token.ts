/** A join token: from a running cluster's Authentication Service, or issued here with an API key, as a customer's backend does. */
import { SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import {
  ClusterError,
  parseWith,
  ParticipantId,
  WireError,
  type RegionId,
  type Role,
  type RoomId,
} from '@veilcast/protocol';

const Issued = z.object({ token: z.string().max(8192) });

export interface TokenRequest {
  readonly room: RoomId;
  readonly role: Role;
  /** Becomes the participant id, so it must be one. */
  readonly name?: string;
  /** The only regions that the Room may be in. */
  readonly regions?: readonly RegionId[];
  readonly url: string;
}

/** Life of a token that is issued with an API key. */
const TTL_S = 15 * 60;

export interface ApiKey {
  readonly id: string;
  readonly secret: string;
}

/** Asks nobody: signaling knows the key. @throws ClusterError MALFORMED for a name that is no id */
export async function issueToken(
  { room, role, name, regions }: Omit<TokenRequest, 'url'>,
  key: ApiKey,
): Promise<string> {
  const sub = parseWith(ParticipantId, name ?? `part_${randomUUID()}`);
  return new SignJWT({ room, role, ...(regions && { regions }) })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(key.id)
    .setSubject(sub)
    .setJti(randomUUID())
    .setExpirationTime(Math.floor(Date.now() / 1_000) + TTL_S)
    .sign(new TextEncoder().encode(key.secret));
}

/** @throws ClusterError MALFORMED for a name that is no id, DISCONNECTED when nothing answers, or the service's own code */
export async function requestToken(request: TokenRequest): Promise<string> {
  const participant = request.name === undefined ? undefined : parseWith(ParticipantId, request.name);
  const { room, role, regions } = request;
  const body = { room, role, ...(participant === undefined ? {} : { participant }), ...(regions && { regions }) };
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
