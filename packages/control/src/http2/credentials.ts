/**
 * What a process proves itself by, and what it judges others by: certificate, key, authorities, revocations, as PEM texts.
 * Read from files again and again, so that a renewed certificate or another authority takes effect without a restart; what
 * is half written or does not fit together is reported and not taken.
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { identityUri, type Identity } from '../identity.ts';
import { identityIn } from './identity.ts';
import { secureOptions } from './tls.ts';

export interface Credentials {
  readonly cert: string;
  readonly key: string;
  /** One authority or more: both the old and the new one while they change. */
  readonly ca: string;
  /** A list of revoked certificates for each authority. */
  readonly crl?: string | undefined;
}

export interface CredentialSource {
  readonly current: Credentials;
  /** Of `current`; the same for life. */
  readonly identity: Identity;
  /** When `current` ends, ms since the epoch. */
  readonly expiresAt: number;
  onRenew(listener: () => void): () => void;
  close(): void;
}

export interface CredentialFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
  readonly crlFile?: string | undefined;
}

/** How often the files are looked at. Longer: a revocation takes effect later. */
const LOOK_EVERY_MS = 2_000;
/** Larger: no certificate. */
const FILE_MAX = 1024 * 1024;

/** @throws ClusterError MALFORMED (they do not fit together, or name no process), or what reading throws */
export async function credentialFiles(
  files: CredentialFiles,
  options: { readonly clock: Clock; readonly report?: ((error: unknown) => void) | undefined },
): Promise<CredentialSource> {
  let current = await read(files);
  const checked = check(current);
  let { expiresAt } = checked;
  const { identity } = checked;
  let refused = '';
  const listeners = new Set<() => void>();
  const take = async (): Promise<void> => {
    const next = await read(files);
    if (sameText(next, current) || closed) return;
    const wrong = mismatch(next, identity);
    if (typeof wrong === 'number') {
      expiresAt = wrong;
      current = next;
      refused = '';
      for (const listener of listeners) listener();
    } else if (wrong.message !== refused) {
      // Once for each way in which it is wrong: it is looked at again and again.
      refused = wrong.message;
      throw wrong;
    }
  };
  let closed = false;
  let looking = false;
  const stop = options.clock.every(LOOK_EVERY_MS, () => {
    if (looking) return;
    looking = true;
    take()
      .catch((error: unknown) => options.report?.(error))
      .finally(() => (looking = false));
  });
  return {
    get current() {
      return current;
    },
    identity,
    get expiresAt() {
      return expiresAt;
    },
    onRenew: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => {
      closed = true;
      stop();
      listeners.clear();
    },
  };
}

/** Credentials that stay as they are. @throws ClusterError MALFORMED */
export function fixedCredentials(current: Credentials): CredentialSource {
  return { current, ...check(current), onRenew: () => () => undefined, close: () => undefined };
}

async function read(files: CredentialFiles): Promise<Credentials> {
  const [cert, key, ca, crl] = await Promise.all([
    text(files.certFile),
    text(files.keyFile),
    text(files.caFile),
    files.crlFile === undefined ? undefined : text(files.crlFile),
  ]);
  return { cert, key, ca, ...(crl === undefined ? {} : { crl }) };
}

async function text(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (bytes.byteLength > FILE_MAX) throw new ClusterError('OVERSIZE', 'a certificate file is too large');
  return bytes.toString('latin1');
}

function sameText(a: Credentials, b: Credentials): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca && a.crl === b.crl;
}

/** When they expire, or why they are not taken. */
function mismatch(next: Credentials, mine: Identity): number | ClusterError {
  try {
    const { identity, expiresAt } = check(next);
    if (identityUri(identity) === identityUri(mine)) return expiresAt;
    return new ClusterError('MALFORMED', 'the new certificate names another process');
  } catch (thrown) {
    return thrown instanceof ClusterError ? thrown : new ClusterError('MALFORMED', undefined, { cause: thrown });
  }
}

/** @throws ClusterError MALFORMED */
function check(credentials: Credentials): { readonly identity: Identity; readonly expiresAt: number } {
  try {
    const { cert, key } = credentials;
    createSecureContext(secureOptions(credentials));
    const leaf = new X509Certificate(cert);
    if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not that of the certificate');
    const identity = identityIn(leaf);
    if (identity === undefined) throw new Error('the certificate names no process of Veilcast');
    return { identity, expiresAt: Date.parse(leaf.validTo) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : '';
    throw new ClusterError('MALFORMED', `certificate, key and authority do not fit together: ${why}`, { cause });
  }
}
