/**
 * An authority as files, for development and for small clusters:
 *
 *     ca.pem  ca.key                      the authority; ca.pem holds two while one takes the place of another
 *     crl.pem                             revoked certificates
 *     <kind>-<id>.pem  <kind>-<id>.key    a process
 *
 * Keys are for their owner alone (0600). Every file is replaced at once, never written over.
 */
import { identityOf, Identity } from '@veilcast/control';
import { ClusterError } from '@veilcast/protocol';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AUTHORITY_DAYS,
  CERTIFICATE_DAYS,
  issueCertificate,
  makeAuthority,
  RENEW_SHARE,
  revocationList,
  serialsOn,
  type KeyPair,
} from './certificates.ts';

const LISTS = /-----BEGIN X509 CRL-----[\s\S]+?-----END X509 CRL-----\n?/g;
const PEMS = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g;

export interface Issued {
  readonly identity: Identity;
  /** In hexadecimal. */
  readonly serial: string;
  /** ms since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly hosts: readonly string[];
  /** By an authority that `ca.pem` still holds. */
  readonly trusted: boolean;
  readonly revoked: boolean;
  readonly files: { readonly cert: string; readonly key: string };
}

export interface Authority {
  readonly notAfter: number;
  readonly serial: string;
}

/** Where the files of a process are. */
export function filesOf(folder: string, { kind, processId }: Pick<Identity, 'kind' | 'processId'>) {
  const base = join(folder, `${kind}-${processId}`);
  return {
    certFile: `${base}.pem`,
    keyFile: `${base}.key`,
    caFile: join(folder, 'ca.pem'),
    crlFile: join(folder, 'crl.pem'),
  };
}

/** A new authority in a folder of its own. @throws ClusterError FORBIDDEN where there is one, unless `replace` */
export async function initFolder(
  folder: string,
  {
    cluster,
    days = AUTHORITY_DAYS,
    now,
    replace = false,
  }: { cluster: string; days?: number; now: number; replace?: boolean },
): Promise<void> {
  Identity.shape.cluster.parse(cluster);
  if (!replace && (await exists(join(folder, 'ca.key'))))
    throw new ClusterError(
      'FORBIDDEN',
      'There is an authority in this folder already; --force makes all its certificates worthless.',
    );
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const authority = await makeAuthority({ cluster, days, now });
  await put(join(folder, 'ca.key'), authority.key, 0o600);
  await put(join(folder, 'ca.pem'), authority.cert, 0o644);
  await put(join(folder, 'crl.pem'), await revocationList(authority, [], now), 0o644);
}

/** A new authority beside the old one: both are trusted, the new one signs. Renew all, then `dropOldAuthorities`. */
export async function rotateAuthority(
  folder: string,
  { days = AUTHORITY_DAYS, now }: { days?: number; now: number },
): Promise<void> {
  const { authority, trusted } = await open(folder);
  const cluster = clusterOf(authority.cert);
  const next = await makeAuthority({ cluster, days, now });
  const lists = await listsIn(folder);
  // Trusted first and signing afterwards: nobody must meet a certificate that it cannot judge.
  await put(join(folder, 'ca.pem'), next.cert + trusted.join(''), 0o644);
  await put(join(folder, 'crl.pem'), (await revocationList(next, [], now)) + lists.join(''), 0o644);
  await put(join(folder, 'ca.key'), next.key, 0o600);
}

/** From now on what the authorities before the present one have signed is worthless. */
export async function dropOldAuthorities(folder: string): Promise<void> {
  const { authority } = await open(folder);
  const [present = ''] = await listsIn(folder);
  await put(join(folder, 'ca.pem'), authority.cert, 0o644);
  await put(join(folder, 'crl.pem'), present, 0o644);
}

/** @throws ClusterError FORBIDDEN where the process has a certificate already, unless `replace`; NOT_FOUND without an authority */
export async function issueInto(
  folder: string,
  wanted: Omit<Identity, 'cluster'> & { hosts?: readonly string[]; days?: number; now: number; replace?: boolean },
): Promise<Identity> {
  const { authority } = await open(folder);
  const { hosts = [], days = CERTIFICATE_DAYS, now, replace = false, kind, region, processId } = wanted;
  const identity = Identity.parse({ cluster: clusterOf(authority.cert), kind, region, processId });
  const { certFile, keyFile } = filesOf(folder, identity);
  if (!replace && (await exists(certFile)))
    throw new ClusterError(
      'FORBIDDEN',
      'This process has a certificate already; `ca renew` renews it, --force replaces it.',
    );
  const { cert, key } = await issueCertificate(authority, { identity, hosts, days, now });
  await put(keyFile, key, 0o600);
  await put(certFile, cert, 0o644);
  return identity;
}

/** Renews what has less than a third of its life left, or all. @returns whose certificates were renewed */
export async function renewFolder(
  folder: string,
  { now, all = false }: { now: number; all?: boolean },
): Promise<readonly Identity[]> {
  const renewed: Identity[] = [];
  for (const { identity, notBefore, notAfter, hosts, revoked } of (await readFolder(folder)).issued) {
    const isDue = all || notAfter - now < (notAfter - notBefore) * RENEW_SHARE;
    if (!isDue || revoked) continue;
    const days = Math.max(1, Math.round((notAfter - notBefore) / 86_400_000));
    await issueInto(folder, { ...identity, hosts, days, now, replace: true });
    renewed.push(identity);
  }
  return renewed;
}

/** @throws ClusterError NOT_FOUND */
export async function revokeIn(
  folder: string,
  { kind, processId, now }: Pick<Identity, 'kind' | 'processId'> & { now: number },
): Promise<void> {
  const { authority } = await open(folder);
  const { issued, revoked } = await readFolder(folder);
  const found = issued.find(({ identity }) => identity.kind === kind && identity.processId === processId);
  if (found === undefined) throw new ClusterError('NOT_FOUND', 'No such process has a certificate here.');
  const [, ...older] = await listsIn(folder);
  const list = await revocationList(authority, [...new Set([...revoked, found.serial])], now);
  await put(join(folder, 'crl.pem'), list + older.join(''), 0o644);
}

/** What is in the folder. @throws ClusterError NOT_FOUND */
export async function readFolder(folder: string): Promise<{
  readonly cluster: string;
  readonly authorities: readonly Authority[];
  readonly issued: readonly Issued[];
  /** Serial numbers of the present authority's list. */
  readonly revoked: readonly string[];
}> {
  const { authority, trusted } = await open(folder);
  const authorities = trusted.map((text) => new X509Certificate(text));
  const revoked = await revokedIn(folder);
  const issued: Issued[] = [];
  for (const file of (await readdir(folder)).toSorted()) {
    const cert = join(folder, file);
    if (!file.endsWith('.pem') || file === 'ca.pem' || file === 'crl.pem') continue;
    const found = described(new X509Certificate(await readFile(cert)), authorities, revoked);
    if (found !== undefined) issued.push({ ...found, files: { cert, key: cert.replace(/\.pem$/, '.key') } });
  }
  return {
    cluster: clusterOf(authority.cert),
    authorities: authorities.map((one) => ({
      notAfter: Date.parse(one.validTo),
      serial: one.serialNumber.toLowerCase(),
    })),
    issued,
    revoked: [...revoked],
  };
}

function described(leaf: X509Certificate, authorities: readonly X509Certificate[], revoked: ReadonlySet<string>) {
  const names = (leaf.subjectAltName ?? '').split(', ');
  const identity = identityOf(names.find((name) => name.startsWith('URI:'))?.slice('URI:'.length) ?? '');
  if (identity === undefined) return undefined;
  const serial = leaf.serialNumber.toLowerCase();
  return {
    identity,
    serial,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
    hosts: names.flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? []),
    trusted: authorities.some((one) => leaf.checkIssued(one) && leaf.verify(one.publicKey)),
    revoked: revoked.has(serial),
  };
}

/** One for each authority, the present one's first. */
async function listsIn(folder: string): Promise<readonly string[]> {
  return (await readFile(join(folder, 'crl.pem'), 'utf8').catch(() => '')).match(LISTS) ?? [];
}

async function revokedIn(folder: string): Promise<Set<string>> {
  const [present] = await listsIn(folder);
  return new Set(present === undefined ? [] : serialsOn(present));
}

async function open(folder: string): Promise<{ readonly authority: KeyPair; readonly trusted: readonly string[] }> {
  const [bundle, key] = await Promise.all(
    ['ca.pem', 'ca.key'].map((file) => readFile(join(folder, file), 'utf8').catch(() => '')),
  );
  const trusted = bundle?.match(PEMS) ?? [];
  const [cert] = trusted;
  if (cert === undefined || key === undefined || key === '')
    throw new ClusterError('NOT_FOUND', 'There is no authority in this folder; make one with `ca init`.');
  return { authority: { cert, key }, trusted };
}

function clusterOf(cert: string): string {
  return /^OU=(.+)$/m.exec(new X509Certificate(cert).subject)?.[1] ?? '';
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

/** Beside it first, then in its place, so that no reader meets a half. */
async function put(path: string, text: string, mode: number): Promise<void> {
  const beside = `${path}.new`;
  await rm(beside, { force: true });
  await writeFile(beside, text, { mode, flag: 'wx' });
  await rename(beside, path);
}
