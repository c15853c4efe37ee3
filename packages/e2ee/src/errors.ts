/** What the library throws, as our reasons. It names classes, and one case only by its words. */
import { CodecError, CryptoError, CryptoVerificationError } from 'ts-mls/mlsError.js';
import { GroupError } from './group.ts';

export async function guard<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw asGroupError(cause);
  }
}

function asGroupError(cause: unknown): GroupError {
  if (cause instanceof GroupError) return cause;
  if (cause instanceof CodecError) return new GroupError('undecodable', { cause });
  if (cause instanceof CryptoVerificationError || cause instanceof CryptoError) {
    return new GroupError('bad-signature', { cause });
  }
  // WebCrypto's word for a wrong tag or an impossible key.
  if (cause instanceof DOMException) return new GroupError('bad-signature', { cause });
  if (!(cause instanceof Error)) return new GroupError('library', { cause });
  if (cause.message.startsWith('Could not validate credential')) return new GroupError('bad-credential', { cause });
  if (cause.message.startsWith('Desired gen in the past')) return new GroupError('replayed', { cause });
  return new GroupError('library', { cause });
}
