/** What no log, metric, error or crash report may hold of a member, each in the forms in which it could be written. */
import { fingerprintOf } from '@veilcast/e2ee/identity';
import type { Member } from './member.ts';

/** What is looked for, by what it is. */
export type Secrets = Map<string, string>;

const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b|::1|::ffff:/;

/** The header of every token is the same, and public. */
export function tokenSecrets(what: string, token: string): [string, string][] {
  const [, ...parts] = token.split('.');
  return parts.map((part, index) => [`${what}, part ${index + 1}`, part]);
}

function bytesSecrets(what: string, bytes: Uint8Array): [string, string][] {
  return (['hex', 'base64', 'base64url'] as const).map((form) => [
    `${what}, ${form}`,
    Buffer.from(bytes).toString(form).slice(0, 40),
  ]);
}

/** Credential, transports, identity, leaf key, and the keys of every Epoch. */
export function memberSecrets({ admission, keys, device, leafKey }: Member): Secrets {
  const secrets: Secrets = new Map([
    ...tokenSecrets('a credential', admission.credential),
    ...bytesSecrets('a device key', device.publicKey),
    ...bytesSecrets('a device', device.device),
    ['a fingerprint of a device', fingerprintOf(device.publicKey)],
    ...bytesSecrets('a leaf key', leafKey.publicKey),
    ...bytesSecrets('a secret leaf key', leafKey.secretKey),
    ...keys.flatMap(({ epoch, baseKey }) => bytesSecrets(`base key of Epoch ${epoch}`, baseKey)),
  ]);
  for (const { iceParameters, dtlsParameters } of [admission.sendTransport, admission.recvTransport]) {
    for (const field of ['usernameFragment', 'password'] as const) {
      const value = iceParameters[field];
      if (typeof value !== 'string') throw new Error(`no ${field}`);
      secrets.set(`ICE ${field} ${secrets.size}`, value);
    }
    for (const { value } of dtlsParameters.fingerprints) secrets.set(`fingerprint ${secrets.size}`, value);
  }
  return secrets;
}

/** A port alone is any number; one that is called a port, or stands behind a host, is not. */
function namesPort(text: string, ports: ReadonlySet<number>): boolean {
  const named = /(?:port["'=: ]{1,4}|(?<=[\w\].]):)(\d{4,5})\b/gi;
  return [...text.matchAll(named)].some(([, port]) => ports.has(Number(port)));
}

/** What of it stands in a text, by what it is. */
export function foundIn(text: string, secrets: Secrets, ports: ReadonlySet<number> = new Set()): string[] {
  const words = [...secrets].filter(([, secret]) => text.includes(secret)).map(([what]) => what);
  if (ADDRESS.test(text)) words.push('an address');
  if (namesPort(text, ports)) words.push('a port');
  return words;
}
