/**
 * X.509 for processes (RFC 5280): an authority, certificates that name a process by a URI, and lists of those revoked. ECDSA on
 * P-256: signatures are checked while a connection is made, so that a later quantum computer gains nothing by them; what it
 * could read afterwards is protected by the key exchange (ADR 0023).
 */
import { identityUri, type Identity } from '@veilcast/control';
import * as x509 from '@peculiar/x509';
import { isIP } from 'node:net';
import { webcrypto as crypto, type webcrypto } from 'node:crypto';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Clocks differ: valid from a little before it was made. */
const BACKDATED_MS = 5 * 60_000;

/** Short: what is stolen is soon of no use, and renewal is exercised every few days. */
export const CERTIFICATE_DAYS = 7;
export const AUTHORITY_DAYS = 365;
/** Renewed when less than this share of its life is left. */
export const RENEW_SHARE = 1 / 3;

/** A certificate and its private key, as PEM texts. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface Span {
  readonly days: number;
  /** ms since the epoch. */
  readonly now: number;
}

/** A new authority of a cluster; it signs nothing but certificates of processes and lists of revoked ones. */
export async function makeAuthority({ cluster, days, now }: { readonly cluster: string } & Span): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ O: ['Veilcast'] }, { OU: [cluster] }, { CN: [`authority ${randomSerial().slice(0, 8)}`] }],
      serialNumber: randomSerial(),
      ...validity({ days, now }),
      keys,
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  return { cert: pem(certificate), key: await exported(keys.privateKey) };
}

export interface Wanted extends Span {
  readonly identity: Identity;
  /** Names and addresses of its host, for tools that look at them; processes of Veilcast do not. */
  readonly hosts?: readonly string[] | undefined;
  /** `dials`: for a client that is never dialled. */
  readonly use?: 'both' | 'dials' | undefined;
}

/** A certificate for a process, with a key made for it. It never outlives its authority. */
export async function issueCertificate(authority: KeyPair, wanted: Wanted): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = new x509.X509Certificate(authority.cert);
  const { identity, hosts = [], use = 'both' } = wanted;
  const { notBefore, notAfter } = validity(wanted);
  const uses = [x509.ExtendedKeyUsage.clientAuth, ...(use === 'both' ? [x509.ExtendedKeyUsage.serverAuth] : [])];
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [{ O: ['Veilcast'] }, { OU: [identity.cluster] }, { CN: [identity.processId] }],
      issuer: issuer.subjectName,
      serialNumber: randomSerial(),
      notBefore,
      notAfter: notAfter < issuer.notAfter ? notAfter : issuer.notAfter,
      publicKey: keys.publicKey,
      signingKey: await imported(authority.key),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(uses),
        new x509.SubjectAlternativeNameExtension([
          { type: 'url', value: identityUri(identity) },
          ...hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(issuer, false, crypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto),
      ],
    },
    crypto,
  );
  return { cert: pem(certificate), key: await exported(keys.privateKey) };
}

/** The list of an authority's revoked certificates, by serial number in hexadecimal; valid as long as the authority. */
export async function revocationList(authority: KeyPair, serials: readonly string[], now: number): Promise<string> {
  const issuer = new x509.X509Certificate(authority.cert);
  const list = await x509.X509CrlGenerator.create(
    {
      issuer: issuer.subjectName,
      thisUpdate: new Date(now - BACKDATED_MS),
      nextUpdate: issuer.notAfter,
      signingKey: await imported(authority.key),
      signingAlgorithm: ALGORITHM,
      entries: serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(now - BACKDATED_MS) })),
    },
    crypto,
  );
  // OpenSSL's word for it, which is not the library's.
  return `${x509.PemConverter.encode(list.rawData, 'X509 CRL')}\n`;
}

/** Serial numbers on a list, in hexadecimal. */
export function serialsOn(list: string): readonly string[] {
  return new x509.X509Crl(x509.PemConverter.decodeFirst(list)).entries.map((entry) => entry.serialNumber.toLowerCase());
}

function validity({ days, now }: Span): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now - BACKDATED_MS), notAfter: new Date(now + days * DAY_MS) };
}

/** 127 bits of chance, positive (RFC 5280, 4.1.2.2). */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

async function exported(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
}

async function imported(key: string): Promise<webcrypto.CryptoKey> {
  return crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), ALGORITHM, false, ['sign']);
}
