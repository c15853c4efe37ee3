/**
 * Post-quantum primitives, whoever computes them: ML-DSA-65 signatures (FIPS 204) and X-Wing key encapsulation
 * (draft-connolly-cfrg-xwing-kem: ML-KEM-768 of FIPS 203 with X25519). Lengths are in bytes and checked before anything else.
 */

/** Of an ML-DSA-65 or X-Wing private key: the key itself is expanded from it. */
export const SEED_BYTES = 32;
export const SIGNATURE_PUBLIC_BYTES = 1952;
export const SIGNATURE_BYTES = 3309;
export const KEM_PUBLIC_BYTES = 1216;
export const KEM_CIPHERTEXT_BYTES = 1120;
export const KEM_SECRET_BYTES = 32;

/** An ML-DSA-65 key pair. `context` (FIPS 204 §5.2, ASCII, at most 255 bytes) keeps what is signed for one purpose from another. */
export interface SigningKey {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array, context: string): Promise<Uint8Array>;
}

export interface Signatures {
  generate(): Promise<SigningKey>;
  /** @throws RangeError for a seed of another length */
  fromSeed(seed: Uint8Array): Promise<SigningKey>;
  /** False for anything wrong, lengths too. Never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, context: string): Promise<boolean>;
}

/** An X-Wing key pair. */
export interface KemKey {
  readonly publicKey: Uint8Array;
  /** A changed ciphertext gives another secret, not an error (FIPS 203 §6.3). @throws RangeError for another length */
  decapsulate(cipherText: Uint8Array): Promise<Uint8Array>;
}

export interface KeyEncapsulation {
  generate(): Promise<KemKey>;
  /** @throws RangeError for a seed of another length */
  fromSeed(seed: Uint8Array): Promise<KemKey>;
  /** @throws RangeError for a public key of another length, or one that FIPS 203 §7.2 does not allow */
  encapsulate(publicKey: Uint8Array): Promise<{ cipherText: Uint8Array; sharedSecret: Uint8Array }>;
}

/** ML-KEM-768 alone: the half of X-Wing that a runtime may have. Seeds are d ‖ z, 64 bytes; lengths are checked by X-Wing. */
export interface MlKem {
  fromSeed(seed: Uint8Array): Promise<KemKey>;
  /** @throws RangeError for a key that FIPS 203 §7.2 does not allow */
  encapsulate(publicKey: Uint8Array): Promise<{ cipherText: Uint8Array; sharedSecret: Uint8Array }>;
}

/** @throws RangeError */
export function requireLength(bytes: Uint8Array, length: number, what: string): void {
  if (bytes.length !== length) throw new RangeError(`${what} has ${bytes.length} bytes, not ${length}`);
}

const ASCII = /^[\x20-\x7e]{0,255}$/;

/** @throws RangeError for anything but up to 255 printable ASCII characters */
export function contextBytes(context: string): Uint8Array<ArrayBuffer> {
  if (!ASCII.test(context)) throw new RangeError('a signature context is up to 255 ASCII characters');
  return new TextEncoder().encode(context);
}
