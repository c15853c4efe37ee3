/**
 * The running hash and the chaining key of a handshake, in the manner of Noise (revision 34, §5.2), and the secrets that
 * come out of it. Whoever has mixed in another byte has another key.
 */
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { ClusterError } from '@veilcast/protocol';
import { concatBytes } from '../bytes.ts';
import { webCipher } from './aead.ts';
import { EMPTY, utf8 } from './bytes.ts';
import { HASH_BYTES, IV_BYTES, KEY_BYTES, PROTOCOL, PSK_BYTES, PSK_ID_BYTES } from './constants.ts';

export type MixLabel = 'es' | 'psk' | 'ee' | 'auth' | 'traffic';
type SecretLabel = 'c2s' | 's2c' | 'root' | 'exporter' | 'key' | 'iv' | 'update' | 'resumption' | 'resumption id';

export function expandLabel(secret: Uint8Array, label: SecretLabel, context: Uint8Array, length: number): Uint8Array {
  return expand(sha512, secret, concatBytes(utf8(`${PROTOCOL} ${label}`), context), length);
}

/** A nonce is never used twice with a key: each `mixKey` gives a new key, and each key seals once. */
const ONCE = new Uint8Array(IV_BYTES);

export class Schedule {
  #hash: Uint8Array;
  #chain: Uint8Array;
  #key: Uint8Array | undefined;

  /** `signed`: what the manifest's root signed. */
  constructor(signed: Uint8Array) {
    this.#hash = sha512(concatBytes(utf8(PROTOCOL), sha512(signed)));
    this.#chain = this.#hash;
  }

  /** The transcript so far. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  mixHash(bytes: Uint8Array): void {
    this.#hash = sha512(concatBytes(this.#hash, bytes));
  }

  /** Wipes the secret it was given. */
  mixKey(secret: Uint8Array, label: MixLabel): void {
    const prk = extract(sha512, secret, this.#chain);
    const mixed = expand(sha512, prk, utf8(`${PROTOCOL} ${label}`), HASH_BYTES + KEY_BYTES);
    secret.fill(0);
    prk.fill(0);
    // The first chaining key is the hash itself.
    if (this.#chain !== this.#hash) this.#chain.fill(0);
    this.#chain = mixed.slice(0, HASH_BYTES);
    this.#key = mixed.slice(HASH_BYTES);
    mixed.fill(0);
  }

  async seal(plain: Uint8Array): Promise<Uint8Array> {
    const sealed = await webCipher(this.#takeKey()).seal(ONCE, EMPTY, this.#hash, plain);
    this.mixHash(sealed);
    return sealed;
  }

  /** @throws ClusterError HANDSHAKE_FAILED */
  async open(sealed: Uint8Array): Promise<Uint8Array> {
    try {
      const plain = await webCipher(this.#takeKey()).open(ONCE, this.#hash, sealed);
      this.mixHash(sealed);
      return plain;
    } catch {
      throw new ClusterError('HANDSHAKE_FAILED', 'a message of the handshake cannot be opened');
    }
  }

  /** Ends the handshake. */
  finish(): TrafficSecrets {
    this.mixKey(new Uint8Array(), 'traffic');
    this.#takeKey().fill(0);
    return trafficSecrets(this.#chain, this.#hash);
  }

  #takeKey(): Uint8Array {
    const key = this.#key;
    if (!key) throw new Error('a key that was never mixed, or used already');
    this.#key = undefined;
    return key;
  }
}

/** What a handshake, and each fresh round after it, leaves: nothing of it gives the former. */
export interface TrafficSecrets {
  readonly c2s: Uint8Array;
  readonly s2c: Uint8Array;
  /** What the next fresh round starts from. */
  readonly root: Uint8Array;
  /** The transcript that these secrets belong to. */
  readonly hash: Uint8Array;
  /** Name and value of the pre-shared key for the next connection. */
  readonly pskId: Uint8Array;
  readonly psk: Uint8Array;
}

/** Wipes the chaining key. */
function trafficSecrets(chain: Uint8Array, hash: Uint8Array): TrafficSecrets {
  const of = (label: SecretLabel): Uint8Array => expandLabel(chain, label, hash, HASH_BYTES);
  const exporter = of('exporter');
  const secrets = {
    c2s: of('c2s'),
    s2c: of('s2c'),
    root: of('root'),
    hash,
    pskId: expandLabel(exporter, 'resumption id', EMPTY, PSK_ID_BYTES),
    psk: expandLabel(exporter, 'resumption', EMPTY, PSK_BYTES),
  };
  chain.fill(0);
  exporter.fill(0);
  return secrets;
}

/** The secrets after a fresh X-Wing round. Wipes what it was given. */
export function freshSecrets(
  root: Uint8Array,
  hash: Uint8Array,
  shared: Uint8Array,
  exchanged: Uint8Array,
): TrafficSecrets {
  const chain = extract(sha512, shared, root);
  root.fill(0);
  shared.fill(0);
  return trafficSecrets(chain, sha512(concatBytes(hash, exchanged)));
}
