/** Secrets that are made once and kept in files for one user's eyes. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/** What the file holds; made where there is none. */
export async function kept(path: string, make: () => string): Promise<string> {
  await writeFile(path, make(), { flag: 'wx', mode: 0o600 }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
  });
  return readFile(path, 'utf8');
}

/** 32 bytes, base64url. */
export function seed(): string {
  return randomBytes(32).toString('base64url');
}

/** A private Ed25519 JWK. */
export function signingKey(): string {
  return JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }));
}
