/**
 * What an operator does over HTTP: devices are revoked, one by the fingerprint that people see, or all of a user. Who may: whoever shows
 * the operator's key, and in development who may open the operator page.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ClusterError, ParticipantId, parseWith } from '@veilcast/protocol';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { z } from 'zod';
import { AddressBudget } from './address-budget.ts';
import type { SignalingConfig } from './config.ts';
import type { LoggedIdentities } from './identities.ts';
import { addressOf, mayOperate } from './origin.ts';

/** From one address, right or wrong: a key is not to be guessed here. */
const REVOCATIONS_PER_MINUTE = 30;
const BODY_MAX = 512;
const BEARER = 'Bearer ';

const Revoke = z.union([
  z.strictObject({
    fingerprint: z
      .string()
      .max(80)
      .transform((text) => text.replaceAll(' ', '').toLowerCase())
      .pipe(z.string().regex(/^[0-9a-f]{48}$/)),
  }),
  z.strictObject({ user: ParticipantId }),
]);

export interface OperatorRoutesOptions {
  readonly config: SignalingConfig;
  readonly identities: Pick<LoggedIdentities, 'revokeLogged'>;
  readonly refuse: (reply: FastifyReply, error: ClusterError) => FastifyReply;
}

export function operatorRoutes({ config, identities, refuse }: OperatorRoutesOptions): FastifyPluginAsync {
  const budget = new AddressBudget('operator', REVOCATIONS_PER_MINUTE);
  return async (app) => {
    app.post('/api/operator/revocations', { bodyLimit: BODY_MAX }, async (request, reply) => {
      try {
        await budget.take(addressOf(request.raw, config.proxyHops));
        requireOperator(request.raw, config);
        return { revoked: await identities.revokeLogged(parseWith(Revoke, request.body)) };
      } catch (thrown) {
        return refuse(reply, ClusterError.of(thrown));
      }
    });
  };
}

/** @throws ClusterError UNAUTHORIZED */
function requireOperator(request: IncomingMessage, config: SignalingConfig): void {
  const { authorization } = request.headers;
  // A wrong key is not made right by where it comes from.
  if (authorization === undefined && mayOperate(request, config)) return;
  const shown = authorization?.startsWith(BEARER) ? authorization.slice(BEARER.length) : undefined;
  const { operatorKey } = config;
  if (shown !== undefined && operatorKey !== undefined && timingSafeEqual(digest(shown), digest(operatorKey))) return;
  throw new ClusterError('UNAUTHORIZED', "not with this operator's key");
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
