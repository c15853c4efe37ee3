/** What `up` keeps between two runs: the keys of the Authentication Service and the log that belongs to them. */
import { exportJWK, generateKeyPair } from 'jose';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface State {
  readonly authorityKeyFile: string;
  readonly authorityRootFile: string;
  readonly identityDir: string;
}

/** Makes what is missing; files of keys are for this user's eyes alone. */
export async function openState(dir: string): Promise<State> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const [authorityKeyFile, authorityRootFile] = [join(dir, 'authority.jwk'), join(dir, 'authority.root')];
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  await writeOnce(authorityKeyFile, JSON.stringify(await exportJWK(privateKey)));
  await writeOnce(authorityRootFile, randomBytes(32).toString('base64url'));
  return { authorityKeyFile, authorityRootFile, identityDir: join(dir, 'identity') };
}

async function writeOnce(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx', mode: 0o600 }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EEXIST') throw cause;
  });
}
