/** A seed of a root in a file: 32 bytes, base64url. */
import { readFile } from 'node:fs/promises';

export async function readSeed(path: string): Promise<Uint8Array> {
  return Buffer.from((await readFile(path, 'utf8')).trim(), 'base64url');
}
