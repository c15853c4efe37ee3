/**
 * The client's side of `veilcast/1` (docs/adr/0013-sealed-channel.md): m1, what m2 must be, m3. Whatever does not fit ends it for good.
 */
import { ClusterError } from '@veilcast/protocol';
import { concatBytes } from '../bytes.ts';
import { SEED_BYTES, type KemKey, type SigningKey } from '../pq/index.ts';
import { EMPTY, encodeJson, hex, readJson } from './bytes.ts';
import { CONTEXT_CLIENT, KIND, SUITE_XWING_AES256GCM_SHA512_MLDSA65, VERSION } from './constants.ts';
import { readM2 } from './layout.ts';
import type { Manifest } from './manifest.ts';
import { M2Payload } from './payloads.ts';
import type { HandshakePorts, Psk } from './ports.ts';
import { Schedule, type TrafficSecrets } from './schedule.ts';

export interface ClientHandshakeOptions extends Pick<HandshakePorts, 'keyEncapsulation' | 'random'> {
  readonly manifest: Manifest;
  readonly psk?: Psk;
}

export interface Greeted {
  readonly m3: Uint8Array;
  /** Of all that follows m3: records may be sent at once. */
  readonly secrets: TrafficSecrets;
  /** The pre-shared key was taken: m3 holds no signature. */
  readonly resumed: boolean;
  /** The server's clock, ms since the Unix epoch. */
  readonly time: number;
}

const OFFER = { versions: [VERSION], suites: [SUITE_XWING_AES256GCM_SHA512_MLDSA65] } as const;

type State = 'new' | 'asked' | 'over';

export class ClientHandshake {
  readonly #options: ClientHandshakeOptions;
  readonly #schedule: Schedule;
  #state: State = 'new';
  #ephemeral: KemKey | undefined;

  constructor(options: ClientHandshakeOptions) {
    this.#options = options;
    this.#schedule = new Schedule(options.manifest.signed);
  }

  /** m1. */
  async start(): Promise<Uint8Array> {
    this.#enter('new');
    const { manifest, keyEncapsulation, random, psk } = this.#options;
    const seed = random(SEED_BYTES);
    const [ephemeral, toServer] = await Promise.all([
      keyEncapsulation.fromSeed(seed),
      keyEncapsulation.encapsulate(manifest.kemPublicKey),
    ]);
    seed.fill(0);
    this.#ephemeral = ephemeral;
    const open = concatBytes(Uint8Array.of(KIND.m1), ephemeral.publicKey, toServer.cipherText);
    this.#schedule.mixHash(open);
    this.#schedule.mixKey(toServer.sharedSecret, 'es');
    const payload = { ...OFFER, nonce: hex(random(16)), ...(psk ? { psk: hex(psk.id) } : {}) };
    const sealed = await this.#schedule.seal(encodeJson(payload));
    this.#state = 'asked';
    return concatBytes(open, sealed);
  }

  /**
   * Takes m2: the server is the one of the manifest. `device` signs m3.
   * @throws ClusterError HANDSHAKE_FAILED, UNSUPPORTED, OVERSIZE
   */
  async receive(m2: Uint8Array, device: SigningKey): Promise<Greeted> {
    this.#enter('asked');
    const { open, resumed, cipherText, sealed } = readM2(m2);
    const { psk } = this.#options;
    if (resumed && !psk) throw new ClusterError('HANDSHAKE_FAILED', 'resumed what was not asked to be');
    this.#schedule.mixHash(open);
    this.#schedule.mixKey(await this.#takeEphemeral().decapsulate(cipherText), 'ee');
    if (resumed && psk) this.#schedule.mixKey(psk.key.slice(), 'psk');
    const opened = await this.#schedule.open(sealed);
    const { version, suite, time } = readJson(M2Payload, opened, 'HANDSHAKE_FAILED');
    if (!includes(OFFER.versions, version) || !includes(OFFER.suites, suite)) throw new ClusterError('UNSUPPORTED');
    const proof = resumed ? EMPTY : await this.#proof(device);
    const kind = Uint8Array.of(KIND.m3);
    this.#schedule.mixHash(kind);
    this.#schedule.mixKey(new Uint8Array(), 'auth');
    const m3 = concatBytes(kind, await this.#schedule.seal(proof));
    return { m3, secrets: this.#schedule.finish(), resumed, time };
  }

  async #proof(device: SigningKey): Promise<Uint8Array> {
    return concatBytes(device.publicKey, await device.sign(this.#schedule.hash, CONTEXT_CLIENT));
  }

  /** What is not finished well stays over. */
  #enter(expected: State): void {
    if (this.#state !== expected) throw new ClusterError('HANDSHAKE_FAILED', 'out of order');
    this.#state = 'over';
  }

  #takeEphemeral(): KemKey {
    const ephemeral = this.#ephemeral;
    this.#ephemeral = undefined;
    if (!ephemeral) throw new ClusterError('HANDSHAKE_FAILED', 'out of order');
    return ephemeral;
  }
}

function includes(offered: readonly number[], chosen: number): boolean {
  return offered.includes(chosen);
}
