/** What a handshake is given from outside: primitives and randomness, so that every byte of it can be repeated. */
import type { KeyEncapsulation, Signatures } from '../pq/index.ts';

export interface HandshakePorts {
  readonly keyEncapsulation: KeyEncapsulation;
  readonly signatures: Signatures;
  /** So many bytes that nobody can guess. */
  readonly random: (length: number) => Uint8Array;
}

/** A pre-shared key of an earlier connection, by its name. */
export interface Psk {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
}
