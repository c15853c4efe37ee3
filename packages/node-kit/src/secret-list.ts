/**
 * Secrets that several processes share, in a file with one a line. All of them are valid, the first one signs: so a secret is
 * changed by adding the new one below, moving it to the top, and taking the old one out when nothing that it signed lives.
 */
import type { Clock } from '@veilcast/protocol';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** The file is read again so often. Shorter: more reads. Longer: a longer wait between the steps of a change. */
export const SECRETS_EVERY_MS = 2_000;
/** The one that comes and the one that goes. */
const SECRETS_MAX = 2;

const Secrets = z
  .array(z.string().regex(/^[A-Za-z0-9_-]{32,127}$/, { message: 'a line is not 32 to 127 letters, digits, - or _' }))
  .min(1)
  .max(SECRETS_MAX)
  .transform((secrets) => secrets as [string, ...string[]]);

export interface SecretList {
  readonly current: readonly [string, ...string[]];
  onChange(listener: () => void): void;
  close(): void;
}

export interface SecretListOptions {
  readonly clock: Clock;
  /** The file cannot be used any more: the last list goes on. Once until it can. */
  readonly report: (error: unknown) => void;
}

/** @throws Error when the file cannot be read or holds anything else; what it holds is not quoted */
export async function openSecrets(path: string, { clock, report }: SecretListOptions): Promise<SecretList> {
  let current = await read(path);
  let isFailing = false;
  const listeners: (() => void)[] = [];
  const again = async (): Promise<void> => {
    try {
      const now = await read(path);
      isFailing = false;
      if (now.join('\n') === current.join('\n')) return;
      current = now;
      for (const listener of listeners) listener();
    } catch (error) {
      if (!isFailing) report(error);
      isFailing = true;
    }
  };
  const stop = clock.every(SECRETS_EVERY_MS, () => void again());
  return {
    get current() {
      return current;
    },
    onChange: (listener) => void listeners.push(listener),
    close: stop,
  };
}

async function read(path: string): Promise<[string, ...string[]]> {
  const text = await readFile(path, 'utf8');
  const parsed = Secrets.safeParse(text.split('\n').filter((line) => line.trim() !== ''));
  if (parsed.success) return parsed.data;
  throw new Error(`the secrets in ${path} cannot be used: ${parsed.error.issues[0]?.message ?? 'unreadable'}`);
}
