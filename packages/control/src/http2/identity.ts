/** Reads who a process is out of its certificate. */
import type { X509Certificate } from 'node:crypto';
import { identityOf, type Identity } from '../identity.ts';

/** Undefined: it names no process, or more than one. */
export function identityIn(certificate: X509Certificate): Identity | undefined {
  // Node writes what holds a comma or a quote as a JSON string, which no identity matches, so that nothing can be smuggled in.
  const uris = (certificate.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:'));
  const [uri] = uris;
  return uri === undefined || uris.length > 1 ? undefined : identityOf(uri.slice('URI:'.length));
}
