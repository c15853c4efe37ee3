/** What `up` keeps between two runs: the keys of the Authentication Service and the log that belongs to them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { kept, seed, signingKey } from './secret-files.ts';

export interface State {
  readonly authorityKeyFile: string;
  readonly authorityRootFile: string;
  readonly identityDir: string;
}

/** Makes what is missing; files of keys are for this user's eyes alone. */
export async function openState(dir: string): Promise<State> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const [authorityKeyFile, authorityRootFile] = [join(dir, 'authority.jwk'), join(dir, 'authority.root')];
  await kept(authorityKeyFile, signingKey);
  await kept(authorityRootFile, seed);
  return { authorityKeyFile, authorityRootFile, identityDir: join(dir, 'identity') };
}
