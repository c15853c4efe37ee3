/**
 * Cryptography as it should be, for a model of groups: keys are words that nobody guesses, a box opens with its key and with
 * nothing else, a signature is right when its key made it. Thousands of times cheaper than the real thing and just as
 * strict. One instance is one world; nothing of it protects anybody.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

export interface Box {
  readonly to: string;
  readonly id: string;
}

/** One word of many; another one for other parts: no part holds the sign that stands between them. */
export function derive(...parts: readonly (string | number)[]): string {
  return bytesToHex(sha256(utf8ToBytes(parts.join('\u0000'))));
}

/** What everybody may know of a secret key. */
export function publicOf(secret: string): string {
  return derive('public', secret);
}

export class IdealWorld {
  #made = 0;
  readonly #seed: string;
  readonly #boxes = new Map<string, { readonly to: string; readonly content: string }>();
  readonly #signers = new Map<string, string>();

  constructor(seed: number) {
    this.#seed = `world ${seed}`;
  }

  /** A new secret that nobody has. */
  secret(): string {
    return derive(this.#seed, (this.#made += 1));
  }

  /** Readable with the secret of this public key. */
  seal(to: string, content: string): Box {
    const id = this.secret();
    this.#boxes.set(id, { to, content });
    return { to, id };
  }

  /** Undefined with any other secret, and for a box that was altered. */
  open(secret: string, { to, id }: Box): string | undefined {
    const box = this.#boxes.get(id);
    return box && box.to === to && publicOf(secret) === to ? box.content : undefined;
  }

  signer(): { readonly publicKey: string; readonly secret: string } {
    const secret = this.secret();
    const publicKey = publicOf(secret);
    this.#signers.set(publicKey, secret);
    return { publicKey, secret };
  }

  verify(publicKey: string, content: string, signature: string): boolean {
    const secret = this.#signers.get(publicKey);
    return secret !== undefined && sign(secret, content) === signature;
  }
}

export function sign(secret: string, content: string): string {
  return derive('signature', secret, content);
}
