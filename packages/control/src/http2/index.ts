/**
 * The Carrier of a cluster: Connect over HTTP/2 over TLS 1.3, certificates both ways, one session and one stream for a link.
 * Certificates may be renewed at any time: new links take the new ones, old links are replaced within a bound (ADR 0023).
 */
import { ClusterError, type Clock, type Random } from '@veilcast/protocol';
import type { Carrier } from '../carrier.ts';
import type { Identity } from '../identity.ts';
import { hostPortOf } from './address.ts';
import type { CredentialSource } from './credentials.ts';
import { dialHttp2 } from './dial.ts';
import { knockTcp } from './knock.ts';
import { HTTP2_LIMITS, type Http2Limits } from './limits.ts';
import type { Http2Link } from './link.ts';
import { listenHttp2 } from './listen.ts';
import { keepRenewed } from './renewal.ts';
import type { OpenedLink, Refusal, Shared } from './shared.ts';

export {
  credentialFiles,
  fixedCredentials,
  type Credentials,
  type CredentialFiles,
  type CredentialSource,
} from './credentials.ts';
export { HTTP2_LIMITS, type Http2Limits } from './limits.ts';
export type { Refusal } from './shared.ts';
export { TLS_GROUP } from './tls.ts';

export interface Http2CarrierOptions {
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: Partial<Http2Limits> | undefined;
  /** Where to listen, `host:port`, if not at the address that others dial: `0.0.0.0:7801` behind a public one. */
  readonly bind?: string | undefined;
  readonly onRefused?: ((why: Refusal) => void) | undefined;
}

/** A link as an operator may see it. */
export interface LinkSight {
  readonly identity: Identity;
  readonly dialled: boolean;
  /** The key exchange that TLS agreed on. */
  readonly group: string | undefined;
  readonly queuedBytes: number;
  /** When the other side's certificate ends, and the link with it; ms since the epoch. */
  readonly expiresAt: number;
}

export interface Http2Carrier extends Carrier {
  /** Who this process is. */
  readonly identity: Identity;
  links(): readonly LinkSight[];
  /** Cuts what is left. */
  close(): void;
}

export function http2Carrier(options: Http2CarrierOptions): Http2Carrier {
  const { credentials, clock, random } = options;
  const limits = { ...HTTP2_LIMITS, ...options.limits };
  const links = new Map<Http2Link, OpenedLink>();
  const shared: Shared = {
    clock,
    limits,
    credentials,
    cluster: credentials.identity.cluster,
    bind: options.bind === undefined ? undefined : hostPortOf(options.bind),
    refused: (why) => options.onRefused?.(why),
    opened: (link, how) => {
      links.set(link, how);
      keepRenewed(link, how, { clock, random, credentials, renewWithinMs: limits.renewWithinMs });
      void link.over().then(() => links.delete(link));
    },
  };
  return {
    identity: credentials.identity,
    dial: (address) => dialHttp2(shared, address),
    knock: (address) => knockTcp(clock, address),
    listen: (address, accept) => listenHttp2(shared, address, accept),
    links: () =>
      [...links].map(([link, { dialled, proved, group }]) => ({
        identity: link.identity,
        dialled,
        group,
        queuedBytes: link.queuedBytes,
        expiresAt: proved.expiresAt,
      })),
    close: () => {
      for (const link of links.keys()) link.end(new ClusterError('CHANNEL_CLOSED'));
    },
  };
}
