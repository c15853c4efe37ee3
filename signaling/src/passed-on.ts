/** What signaling processes pass on to each other, read as strictly as what a client says (control.proto, PeerSits and after). */
import { decodeContent } from '@veilcast/e2ee/channel';
import {
  bytes,
  ClusterError,
  ErrorCode,
  ParticipantId,
  parseWith,
  REQUESTS,
  Role,
  RoomId,
  type RequestBody,
} from '@veilcast/protocol';
import type { wire } from '@veilcast/control';
import { z } from 'zod';
import type { Entrant } from './identities.ts';
import { TokenRegions } from './tokens.ts';

const Sitting = z.strictObject({
  entrant: z.strictObject({
    room: RoomId,
    sub: ParticipantId,
    role: Role,
    device: z.string().max(64).optional(),
    regions: TokenRegions.optional(),
    tokenId: z.string().max(512),
    expiresAt: z.number(),
    proven: z.strictObject({
      key: bytes(4_096),
      statement: bytes(16_384),
      bundle: bytes(16_384),
      bundleName: z.string().max(64),
      index: z.number().int().nonnegative(),
    }),
  }),
  body: REQUESTS.join.body,
});

/** @throws ClusterError MALFORMED */
export function readSitting(content: Uint8Array): { entrant: Entrant; body: RequestBody<'join'> } {
  const { entrant, body } = parseWith(Sitting, decodeContent(content));
  const { device, regions, ...rest } = entrant;
  return { entrant: { ...rest, ...(device === undefined ? {} : { device }), ...(regions && { regions }) }, body };
}

export function errorOf({ code, detail, retryMs }: wire.Failure): ClusterError {
  const known = ErrorCode.catch('INTERNAL').parse(code);
  return new ClusterError(known, detail === '' ? undefined : detail.slice(0, 300), retryMs === 0 ? {} : { retryMs });
}

export function failureOf(thrown: unknown): { code: string; detail: string; retryMs: number } {
  const { code, detail = '', retryMs = 0 } = ClusterError.of(thrown).toWire();
  return { code, detail, retryMs };
}
