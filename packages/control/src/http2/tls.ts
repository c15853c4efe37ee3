/** How both ends speak TLS: 1.3 alone, with a post-quantum hybrid key exchange alone, both with a certificate (ADR 0023). */
import { ClusterError } from '@veilcast/protocol';
import { constants, type X509Certificate } from 'node:crypto';
import type { SecureContextOptions, TLSSocket } from 'node:tls';
import type { Identity } from '../identity.ts';
import type { Credentials } from './credentials.ts';
import { identityIn } from './identity.ts';

/** ECDHE-MLKEM (X25519MLKEM768): what is recorded today stays closed to a quantum computer. Nothing else is offered or taken. */
export const TLS_GROUP = 'X25519MLKEM768';

const LIST = /-----BEGIN X509 CRL-----[\s\S]+?-----END X509 CRL-----\n?/g;

export function secureOptions({ cert, key, ca, crl }: Credentials): SecureContextOptions {
  return {
    cert,
    key,
    ca,
    // Node reads the first list of a text and no other.
    ...(crl === undefined ? {} : { crl: crl.match(LIST) ?? [crl] }),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ecdhCurve: TLS_GROUP,
    // A resumed session would not look at the certificate again.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

export interface Proved {
  readonly identity: Identity;
  /** When its certificate ends, ms since the epoch. */
  readonly expiresAt: number;
}

/** Who is at the other end of a socket whose certificate TLS has accepted. @throws ClusterError UNAUTHORIZED */
export function provedBy(certificate: X509Certificate | undefined, cluster: string): Proved {
  const identity = certificate === undefined ? undefined : identityIn(certificate);
  if (certificate === undefined || identity === undefined)
    throw new ClusterError('UNAUTHORIZED', 'the certificate names no process of Veilcast');
  if (identity.cluster !== cluster) throw new ClusterError('UNAUTHORIZED', 'a process of another cluster');
  return { identity, expiresAt: Date.parse(certificate.validTo) };
}

/** Of a server's socket. @throws ClusterError UNAUTHORIZED */
export function clientOf(socket: TLSSocket, cluster: string): Proved {
  if (!socket.authorized || socket.isSessionReused()) throw new ClusterError('UNAUTHORIZED');
  return provedBy(socket.getPeerX509Certificate(), cluster);
}

/** The key exchange as the socket tells it; only a client's socket does. */
export function groupOf(socket: TLSSocket): string | undefined {
  const told: unknown = socket.getEphemeralKeyInfo();
  const name: unknown = typeof told === 'object' && told !== null && 'name' in told ? told.name : undefined;
  return typeof name === 'string' ? name : undefined;
}
