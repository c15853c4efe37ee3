/** What signaling answers over HTTP: the Authentication Service's public key, the regions to measure, development tokens. */
import {
  ClusterError,
  ERRORS,
  ParticipantId,
  parseWith,
  Role,
  RoomId,
  type ErrorCode,
  type Random,
} from '@veilcast/protocol';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import { z } from 'zod';
import { AddressBudget } from './address-budget.ts';
import type { Authority } from './authority.ts';
import type { ChannelIdentity } from './channel-identity.ts';
import type { RegionEntry } from './cluster.ts';
import type { SignalingConfig } from './config.ts';
import type { LoggedIdentities } from './identities.ts';
import { identityRoutes } from './identity-routes.ts';
import { operatorRoutes } from './operator-routes.ts';
import { addressOf, originAllowed } from './origin.ts';
import { TokenRegions } from './tokens.ts';

/** Most of a request's body. */
const BODY_MAX = 1_024;

const TokenRequest = z.strictObject({
  room: RoomId,
  role: Role.default('speaker'),
  /** The same person again; a new one where there is none. */
  participant: ParticipantId.optional(),
  /** SHA-256 of the device key that alone may use it, base64url. */
  device: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
  regions: TokenRegions.optional(),
});

const STATUS: Partial<Record<ErrorCode, number>> = {
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  RATE_LIMITED: 429,
};

export interface RoutesOptions {
  readonly config: SignalingConfig;
  readonly authority: Authority;
  readonly identities: LoggedIdentities;
  /** Of the sealed channel. */
  readonly identity: ChannelIdentity;
  readonly random: Random;
  readonly regions: () => readonly RegionEntry[];
}

export function signalingRoutes(options: RoutesOptions): FastifyPluginAsync {
  const { config, authority, identities, identity, random, regions } = options;
  const budget = new AddressBudget('token', config.limits.tokensPerMinute);
  return async (app) => {
    // The SDK may run on another site's page, where the policy allows that site.
    app.addHook('onRequest', async (request, reply) => {
      const { origin } = request.headers;
      // Said of every answer: what a cache kept for our own page would lack the header that another one needs.
      void reply.header('vary', 'origin');
      if (origin === undefined || !originAllowed(request.raw, config.policy)) return;
      void reply.header('access-control-allow-origin', origin);
    });
    app.options('/api/*', async (_request, reply) =>
      reply.header('access-control-allow-headers', 'content-type').code(204).send(),
    );
    await app.register(identityRoutes({ config, authority, identities, refuse }));
    await app.register(operatorRoutes({ config, identities, refuse }));
    app.get('/api/manifest', async (_request, reply) =>
      reply
        .type('application/octet-stream')
        .header('cache-control', 'no-cache')
        .send(await identity.document()),
    );
    app.get('/api/regions', async () => regions());
    app.get('/api/load', async (_request, reply) =>
      config.loadToken === undefined
        ? refuse(reply, new ClusterError('NOT_FOUND', 'no load test is wanted here'))
        : { token: config.loadToken },
    );
    app.post('/api/token', { bodyLimit: BODY_MAX }, async (request, reply) => {
      try {
        if (!config.policy.development) throw new ClusterError('FORBIDDEN', 'only under the development policy');
        if (!originAllowed(request.raw, config.policy)) throw new ClusterError('FORBIDDEN', 'not from this origin');
        await budget.take(addressOf(request.raw, config.proxyHops));
        const { room, role, participant, device, regions: within } = parseWith(TokenRequest, request.body);
        const token = await authority.issueToken({
          room,
          sub: participant ?? ParticipantId.parse(random.id('part')),
          role,
          ...(device === undefined ? {} : { device }),
          ...(within && { regions: within }),
        });
        return { token };
      } catch (thrown) {
        return refuse(reply, ClusterError.of(thrown));
      }
    });
  };
}

function refuse(reply: FastifyReply, error: ClusterError): FastifyReply {
  const status = STATUS[error.code] ?? (ERRORS[error.code].fault === 'peer' ? 400 : 500);
  if (error.retryMs !== undefined) void reply.header('retry-after', Math.ceil(error.retryMs / 1_000));
  return reply.code(status).send({ error: error.toWire() });
}
