/** What signaling answers about identities over HTTP: its keys, the log of bundles, revocations. Everything in it is public. */
import { SELF_REVOCATION_BYTES } from '@veilcast/e2ee/identity';
import { ClusterError, parseWith } from '@veilcast/protocol';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AddressBudget } from './address-budget.ts';
import type { Authority } from './authority.ts';
import { base64Url } from './bytes.ts';
import type { SignalingConfig } from './config.ts';
import type { LoggedIdentities } from './identities.ts';
import { addressOf } from './origin.ts';

/** Revocations from one address. A person has a handful of devices. */
const REVOCATIONS_PER_MINUTE = 30;
/** Looks into the log from one address: heads are followed by everybody in a call. */
const LOOKS_PER_MINUTE = 1_200;

const count = z.coerce
  .number()
  .int()
  .nonnegative()
  .max(2 ** 48);
const Range = z.strictObject({ from: count, to: count });

export interface IdentityRoutesOptions {
  readonly config: SignalingConfig;
  readonly authority: Authority;
  readonly identities: LoggedIdentities;
  readonly refuse: (reply: FastifyReply, error: ClusterError) => FastifyReply;
}

export function identityRoutes({ config, authority, identities, refuse }: IdentityRoutesOptions): FastifyPluginAsync {
  const { log, revoked } = identities;
  const looks = new AddressBudget('log', LOOKS_PER_MINUTE);
  const revocations = new AddressBudget('revocation', REVOCATIONS_PER_MINUTE);
  const spend = (budget: AddressBudget, request: FastifyRequest): Promise<void> =>
    budget.take(addressOf(request.raw, config.proxyHops));
  return async (app) => {
    app.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: SELF_REVOCATION_BYTES },
      (_request, body, done) => done(null, body),
    );
    app.setErrorHandler((thrown: unknown, _request, reply) => refuse(reply, refusalOf(thrown)));
    app.get('/api/authority', async () => ({
      ...authority.publicKey(),
      revocations: base64Url(await revoked.list()),
    }));
    app.post('/api/revocations', (request) =>
      spend(revocations, request).then(async () => {
        const { body } = request;
        if (!(body instanceof Uint8Array)) throw new ClusterError('MALFORMED');
        await identities.revokeItself(body);
        return {};
      }),
    );
    app.get('/api/log/head', (request) =>
      spend(looks, request).then(async () => ({ head: base64Url(await log.head()) })),
    );
    app.get('/api/log/consistency', (request) =>
      spend(looks, request).then(async () => {
        const { from, to } = parseWith(Range, request.query);
        await log.reach(to);
        return { path: log.consistency(from, to).map(base64Url) };
      }),
    );
    app.get('/api/log/entries', (request) =>
      spend(looks, request).then(async () => {
        const { from, to } = parseWith(Range, request.query);
        await log.reach(to);
        const { frontier, entries } = log.entries(from, to);
        return { frontier: frontier.hashes.map(base64Url), entries: base64Url(entries) };
      }),
    );
  };
}

/** Fastify's own refusals of a body, as ours. */
function refusalOf(thrown: unknown): ClusterError {
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  if (status === 413) return new ClusterError('OVERSIZE');
  return typeof status === 'number' && status < 500 ? new ClusterError('MALFORMED') : ClusterError.of(thrown);
}
