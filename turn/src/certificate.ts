/**
 * The certificate of a TURN server: copies that coturn reads, made only of a pair that fits, and made anew when the files change. Who
 * is connected notices nothing of it.
 */
import type { Clock } from '@veilcast/protocol';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

/** Shorter: more reads. Longer: a renewed certificate waits. */
export const CERTIFICATE_EVERY_MS = 2_000;

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface CertificateOptions {
  readonly clock: Clock;
  /** A new pair lies in the copies. */
  readonly changed: () => void;
  /** The files do not fit: the last pair goes on. Once until they do. */
  readonly report: (error: unknown) => void;
}

/** Keeps `copies` like `files`; returns what ends it. @throws Error when the pair does not fit at the start */
export async function followCertificate(
  files: CertificateFiles,
  copies: CertificateFiles,
  { clock, changed, report }: CertificateOptions,
): Promise<() => void> {
  let current = await readPair(files);
  await writePair(copies, current);
  let isFailing = false;
  let isClosed = false;
  const again = async (): Promise<void> => {
    try {
      const now = await readPair(files);
      isFailing = false;
      if (isClosed || (now.cert === current.cert && now.key === current.key)) return;
      current = now;
      await writePair(copies, now);
      changed();
    } catch (error) {
      if (!isFailing && !isClosed) report(error);
      isFailing = true;
    }
  };
  const stop = clock.every(CERTIFICATE_EVERY_MS, () => void again());
  return () => {
    isClosed = true;
    stop();
  };
}

interface Pair {
  readonly cert: string;
  readonly key: string;
}

async function readPair({ certFile, keyFile }: CertificateFiles): Promise<Pair> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  // While they are exchanged one may be of the old pair.
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${certFile} and ${keyFile} do not belong together`);
  return { cert, key };
}

async function writePair({ certFile, keyFile }: CertificateFiles, { cert, key }: Pair): Promise<void> {
  await writeFile(certFile, cert, { mode: 0o600 });
  await writeFile(keyFile, key, { mode: 0o600 });
}
