/**
 * A channel after its handshake, one end of it: seals and opens records in both directions, and renews both from time to
 * time with a fresh X-Wing secret. Time is an argument; the caller sends, in order, whatever it is given.
 */
import { ClusterError, MESSAGE_MAX } from '@veilcast/protocol';
import { concatBytes } from '../bytes.ts';
import { KEM_PUBLIC_BYTES, KEM_CIPHERTEXT_BYTES, SEED_BYTES, type KemKey } from '../pq/index.ts';
import type { MakeCipher, Sealing } from './aead.ts';
import { EMPTY } from './bytes.ts';
import { CONTENT, FRESH_AFTER_MS } from './constants.ts';
import type { HandshakePorts, Psk } from './ports.ts';
import { Opener, RECORD_OVERHEAD, Sealer, type Content } from './records.ts';
import { freshSecrets, type TrafficSecrets } from './schedule.ts';

export type FreshPorts = Pick<HandshakePorts, 'keyEncapsulation' | 'random'>;

/** No client has a reason to ask for fresh rounds more often. */
const FRESH_EVERY_AT_LEAST_MS = FRESH_AFTER_MS / 2;

abstract class Channel<T extends Sealing> {
  protected readonly sealer: Sealer<T>;
  protected readonly opener: Opener<T>;
  protected freshAt: number;
  #root: Uint8Array;
  #hash: Uint8Array;
  #psk: Psk;

  protected constructor(role: 'client' | 'server', secrets: TrafficSecrets, makeCipher: MakeCipher<T>, now: number) {
    const [out, into] = role === 'client' ? (['c2s', 's2c'] as const) : (['s2c', 'c2s'] as const);
    this.sealer = new Sealer(secrets[out], out, makeCipher, now);
    this.opener = new Opener(secrets[into], into, makeCipher, MESSAGE_MAX + RECORD_OVERHEAD);
    this.#root = secrets.root;
    this.#hash = secrets.hash;
    this.#psk = { id: secrets.pskId, key: secrets.psk };
    this.freshAt = now;
  }

  /** For the next connection; another one after each fresh round. */
  get psk(): Psk {
    return this.#psk;
  }

  /** @throws ClusterError CLOSED */
  seal(kind: number, bytes: Uint8Array, now: number): T[] {
    return this.sealer.seal(kind, bytes, now);
  }

  /** The plaintext of the next record, for `take`. @throws ClusterError SEAL_BROKEN, OVERSIZE, CLOSED */
  begin(record: Uint8Array): T {
    return this.opener.begin(record);
  }

  /** What was opened. Updates are followed here; the rest is the caller's. */
  take(plain: Uint8Array): Content {
    return this.opener.take(plain);
  }

  /** Nothing is sealed or opened after it. */
  close(): void {
    this.sealer.close();
    this.opener.close();
    this.#root.fill(0);
  }

  protected fresh(shared: Uint8Array, offer: Uint8Array, answer: Uint8Array, now: number): TrafficSecrets {
    const secrets = freshSecrets(this.#root, this.#hash, shared, concatBytes(offer, answer));
    this.#root = secrets.root;
    this.#hash = secrets.hash;
    this.#psk = { id: secrets.pskId, key: secrets.psk };
    this.freshAt = now;
    return secrets;
  }
}

export class ClientChannel<T extends Sealing> extends Channel<T> {
  #offered: KemKey | undefined;

  constructor(secrets: TrafficSecrets, makeCipher: MakeCipher<T>, now: number) {
    super('client', secrets, makeCipher, now);
  }

  /** A fresh round is due, and none is under way. */
  wantsFresh(now: number): boolean {
    return this.#offered === undefined && now - this.freshAt >= FRESH_AFTER_MS;
  }

  /** What it gives is called when nothing else is being sealed, and sent. */
  async offerFresh({ keyEncapsulation, random }: FreshPorts, now: number): Promise<() => T[]> {
    const offered = await keyEncapsulation.fromSeed(random(SEED_BYTES));
    return () => {
      this.#offered = offered;
      return this.seal(CONTENT.freshOffer, offered.publicKey, now);
    };
  }

  /** Takes the server's answer; what it gives seals the last record under the old keys. @throws ClusterError SEAL_BROKEN */
  async takeFresh(answer: Uint8Array, now: number): Promise<() => T[]> {
    const offered = this.#offered;
    this.#offered = undefined;
    if (!offered || answer.length !== KEM_CIPHERTEXT_BYTES) throw new ClusterError('SEAL_BROKEN');
    const shared = await offered.decapsulate(answer);
    return () => {
      const secrets = this.fresh(shared, offered.publicKey, answer, now);
      this.opener.renew(secrets.s2c);
      const last = this.seal(CONTENT.freshDone, EMPTY, now);
      this.sealer.renew(secrets.c2s, now);
      return last;
    };
  }
}

export class ServerChannel<T extends Sealing> extends Channel<T> {
  /** The client's direction, from its last word under the old keys on. */
  #next: Uint8Array | undefined;
  #answering = false;

  constructor(secrets: TrafficSecrets, makeCipher: MakeCipher<T>, now: number) {
    super('server', secrets, makeCipher, now);
  }

  /** What it gives seals the answer to an offer; what is sealed after that is under new keys. @throws ClusterError SEAL_BROKEN, RATE_LIMITED */
  async answerFresh({ keyEncapsulation }: FreshPorts, offer: Uint8Array, now: number): Promise<() => T[]> {
    if (this.#next || this.#answering || offer.length !== KEM_PUBLIC_BYTES) throw new ClusterError('SEAL_BROKEN');
    if (now - this.freshAt < FRESH_EVERY_AT_LEAST_MS) throw new ClusterError('RATE_LIMITED');
    this.#answering = true;
    const publicKey = offer.slice();
    const { cipherText, sharedSecret } = await keyEncapsulation.encapsulate(publicKey);
    return () => {
      const answer = this.seal(CONTENT.freshAnswer, cipherText, now);
      const secrets = this.fresh(sharedSecret, publicKey, cipherText, now);
      this.sealer.renew(secrets.s2c, now);
      this.#next = secrets.c2s;
      this.#answering = false;
      return answer;
    };
  }

  /** @throws ClusterError SEAL_BROKEN */
  override take(plain: Uint8Array): Content {
    const content = super.take(plain);
    if (content.kind !== CONTENT.freshDone) return content;
    if (!this.#next) throw new ClusterError('SEAL_BROKEN');
    this.opener.renew(this.#next);
    this.#next = undefined;
    return content;
  }
}
