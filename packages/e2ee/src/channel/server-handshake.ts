/**
 * The server's side of `veilcast/1`: what m1 must be, m2, what m3 must be. It proves who it is by decapsulation; lengths are checked
 * before that. Whatever does not fit ends it for good.
 */
import { ClusterError } from '@veilcast/protocol';
import { concatBytes } from '../bytes.ts';
import { SIGNATURE_PUBLIC_BYTES, type KemKey } from '../pq/index.ts';
import { encodeJson, fromHex, hex, readJson } from './bytes.ts';
import { CONTEXT_CLIENT, KIND, SUITE_XWING_AES256GCM_SHA512_MLDSA65, VERSION } from './constants.ts';
import { readM1, readM3 } from './layout.ts';
import { M1Payload } from './payloads.ts';
import type { HandshakePorts } from './ports.ts';
import type { Resumable } from './resumption.ts';
import { Schedule, type TrafficSecrets } from './schedule.ts';

export interface ServerHandshakeOptions extends HandshakePorts {
  /** The key that the manifest names. */
  readonly kemKey: KemKey;
  /** What the root signed of the manifest, and of those before it that clients may still have. */
  readonly signed: readonly Uint8Array[];
  /** A pre-shared key by its name, which can be taken once. */
  readonly takePsk: (id: Uint8Array) => Resumable | undefined;
  /** ms since the Unix epoch. */
  readonly now: () => number;
}

export interface Presented {
  /** ML-DSA-65, proven: it signed this transcript, or the one that the pre-shared key came from. */
  readonly devicePublicKey: Uint8Array;
  readonly resumed: boolean;
  readonly secrets: TrafficSecrets;
}

type State = 'new' | 'greeted' | 'over';

export class ServerHandshake {
  readonly #options: ServerHandshakeOptions;
  #schedule = new Schedule(new Uint8Array());
  #state: State = 'new';
  #resumable: Resumable | undefined;

  constructor(options: ServerHandshakeOptions) {
    this.#options = options;
  }

  /** m2 for m1. @throws ClusterError HANDSHAKE_FAILED, UNSUPPORTED, OVERSIZE */
  async greet(m1: Uint8Array): Promise<Uint8Array> {
    this.#enter('new');
    const asked = readM1(m1);
    const { kemKey, keyEncapsulation, random, takePsk, now } = this.#options;
    const shared = await kemKey.decapsulate(asked.cipherText);
    const { versions, suites, psk } = readJson(M1Payload, await this.#openM1(asked, shared), 'HANDSHAKE_FAILED');
    if (!versions.includes(VERSION) || !suites.includes(SUITE_XWING_AES256GCM_SHA512_MLDSA65)) {
      throw new ClusterError('UNSUPPORTED');
    }
    this.#resumable = psk === undefined ? undefined : takePsk(fromHex(psk));
    const toClient = await encapsulated(() => keyEncapsulation.encapsulate(asked.publicKey));
    const open = concatBytes(Uint8Array.of(KIND.m2, this.#resumable ? 1 : 0), toClient.cipherText);
    this.#schedule.mixHash(open);
    this.#schedule.mixKey(toClient.sharedSecret, 'ee');
    if (this.#resumable) this.#schedule.mixKey(this.#resumable.key, 'psk');
    const payload = {
      version: VERSION,
      suite: SUITE_XWING_AES256GCM_SHA512_MLDSA65,
      nonce: hex(random(16)),
      time: now(),
    };
    const sealed = await this.#schedule.seal(encodeJson(payload));
    this.#state = 'greeted';
    return concatBytes(open, sealed);
  }

  /** Takes m3: the client has the device. What it may do here is for the caller to say. @throws ClusterError HANDSHAKE_FAILED, OVERSIZE */
  async receive(m3: Uint8Array): Promise<Presented> {
    this.#enter('greeted');
    const { open, sealed } = readM3(m3);
    const transcript = this.#schedule.hash;
    this.#schedule.mixHash(open);
    this.#schedule.mixKey(new Uint8Array(), 'auth');
    const opened = await this.#schedule.open(sealed);
    const resumable = this.#resumable;
    if (resumable && opened.length > 0) throw new ClusterError('HANDSHAKE_FAILED', 'more than was asked for');
    const devicePublicKey = resumable?.devicePublicKey ?? (await this.#proven(opened, transcript));
    return { devicePublicKey, resumed: resumable !== undefined, secrets: this.#schedule.finish() };
  }

  /** With the schedule of the manifest that the client has. */
  async #openM1({ open, sealed }: ReturnType<typeof readM1>, shared: Uint8Array): Promise<Uint8Array> {
    for (const signed of this.#options.signed) {
      this.#schedule = new Schedule(signed);
      this.#schedule.mixHash(open);
      this.#schedule.mixKey(shared.slice(), 'es');
      const opened = await this.#schedule.open(sealed).catch(() => undefined);
      if (opened) return opened;
    }
    throw new ClusterError('HANDSHAKE_FAILED', 'm1 cannot be opened');
  }

  async #proven(opened: Uint8Array, transcript: Uint8Array): Promise<Uint8Array> {
    const publicKey = opened.slice(0, SIGNATURE_PUBLIC_BYTES);
    const signature = opened.slice(SIGNATURE_PUBLIC_BYTES);
    if (!(await this.#options.signatures.verify(publicKey, transcript, signature, CONTEXT_CLIENT))) {
      throw new ClusterError('HANDSHAKE_FAILED', "the device's signature is wrong");
    }
    return publicKey;
  }

  #enter(expected: State): void {
    if (this.#state !== expected) throw new ClusterError('HANDSHAKE_FAILED', 'out of order');
    this.#state = 'over';
  }
}

/** A stranger's key may be none. */
async function encapsulated<T>(encapsulate: () => Promise<T>): Promise<T> {
  try {
    return await encapsulate();
  } catch (cause) {
    throw new ClusterError('HANDSHAKE_FAILED', 'no X-Wing key', { cause });
  }
}
