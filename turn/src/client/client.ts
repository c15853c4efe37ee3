/**
 * A TURN client over one wire: what browsers do, one step at a time, for the health of our own server, for tests and for benches. It
 * sends each request once: who wants to try again does.
 */
import { randomBytes } from 'node:crypto';
import { ATTRIBUTE, decode, encode, errorCode, longTermKey, readXorAddress, xorAddress } from './stun.ts';
import type { Address, Attributes, Method, StunMessage } from './stun.ts';
import { openWire, type Wire, type WireKind } from './wire.ts';

export { errorCode, type Address } from './stun.ts';
export type { WireKind } from './wire.ts';

/** UDP as a relayed transport (RFC 8656 §18.8: protocol 17). */
const UDP = Buffer.from([17, 0, 0, 0]);
const CHANNEL_FIRST = 0x4000;
const ANSWER_MS = 2_000;

export interface Credential {
  readonly username: string;
  readonly credential: string;
}

export interface Relayed {
  readonly peer: Address;
  readonly bytes: Buffer;
}

/** The server answered with an error; `code` is of RFC 8656 §19. 0: it did not answer. */
export class TurnError extends Error {
  override readonly name = 'TurnError';
  readonly code: number;

  constructor(code: number) {
    super(code === 0 ? 'no answer' : `the TURN server answered ${code}`);
    this.code = code;
  }
}

/** The first request of everybody who wants an allocation: without a credential, since the nonce is not known yet. */
export function allocateRequest(id: Buffer): Buffer {
  return encode({ method: 'allocate', class: 'request', id }, [[ATTRIBUTE.transport, UDP]]);
}

export class TurnClient {
  readonly #wire: Wire;
  readonly #waiting = new Map<string, (message: StunMessage) => void>();
  readonly #channels = new Map<number, Address>();
  #credential: Credential | undefined;
  #realm = '';
  #nonce = Buffer.alloc(0);
  /** What peers sent. */
  onRelayed: (relayed: Relayed) => void = () => undefined;
  /** The last request as it went over the wire. */
  lastSent: Buffer = Buffer.alloc(0);

  private constructor(wire: Wire) {
    this.#wire = wire;
    wire.onMessage((bytes) => this.#receive(bytes));
  }

  /** @throws Error when the server cannot be reached */
  static async open(kind: WireKind, server: Address, options: { readonly ca?: string } = {}): Promise<TurnClient> {
    return new TurnClient(await openWire(kind, server, options));
  }

  get closed(): boolean {
    return this.#wire.closed;
  }

  /** Our address as the server sees it. @throws TurnError */
  async bind(): Promise<Address | undefined> {
    const answer = await this.#request('binding', []);
    const mapped = answer.attributes.get(ATTRIBUTE.mapped);
    return mapped && readXorAddress(mapped, answer.id);
  }

  /** The address that peers may send to. @throws TurnError */
  async allocate(credential: Credential): Promise<Address> {
    this.#credential = credential;
    const answer = await this.#authenticated('allocate', () => [[ATTRIBUTE.transport, UDP]]);
    const relayed = answer.attributes.get(ATTRIBUTE.relayed);
    const address = relayed && readXorAddress(relayed, answer.id);
    if (!address) throw new TurnError(0);
    return address;
  }

  /** 0 s ends the allocation. @throws TurnError */
  async refresh(lifetimeS: number): Promise<void> {
    const value = Buffer.alloc(4);
    value.writeUInt32BE(lifetimeS);
    await this.#authenticated('refresh', () => [[ATTRIBUTE.lifetime, value]]);
  }

  /** The peer may be sent to, and may send. @throws TurnError 403 when the server does not relay there */
  async permit(peer: Address): Promise<void> {
    await this.#authenticated('permission', (id) => [[ATTRIBUTE.peer, xorAddress(peer, id)]]);
  }

  /** As `permit`, and what is sent costs four bytes more instead of thirty-six. @throws TurnError */
  async bindChannel(peer: Address): Promise<number> {
    const channel = CHANNEL_FIRST + this.#channels.size;
    const number = Buffer.alloc(4);
    number.writeUInt16BE(channel);
    await this.#authenticated('channel', (id) => [
      [ATTRIBUTE.channel, number],
      [ATTRIBUTE.peer, xorAddress(peer, id)],
    ]);
    this.#channels.set(channel, peer);
    return channel;
  }

  sendTo(peer: Address, bytes: Buffer): void {
    const id = randomBytes(12);
    const attributes = [[ATTRIBUTE.peer, xorAddress(peer, id)] as const, [ATTRIBUTE.data, bytes] as const];
    this.#wire.send(encode({ method: 'send', class: 'indication', id }, attributes));
  }

  sendOn(channel: number, bytes: Buffer): void {
    const framed = Buffer.alloc(4 + Math.ceil(bytes.length / 4) * 4);
    framed.writeUInt16BE(channel, 0);
    framed.writeUInt16BE(bytes.length, 2);
    bytes.copy(framed, 4);
    this.#wire.send(framed);
  }

  /** Bytes as they are: what somebody else recorded. */
  sendRaw(bytes: Buffer): Promise<StunMessage> {
    return this.#exchange(bytes, bytes.subarray(8, 20));
  }

  close(): void {
    this.#wire.close();
  }

  /** Once more with the nonce of the answer, where that is all that was wrong. */
  async #authenticated(method: Method, attributes: (id: Buffer) => Attributes): Promise<StunMessage> {
    try {
      return await this.#request(method, attributes);
    } catch (error) {
      const mayTryAgain = error instanceof TurnError && (error.code === 438 || (error.code === 401 && this.#isNew));
      if (!mayTryAgain) throw error;
      this.#isNew = false;
      return this.#request(method, attributes);
    }
  }

  #isNew = true;

  async #request(method: Method, attributes: Attributes | ((id: Buffer) => Attributes)): Promise<StunMessage> {
    const id = randomBytes(12);
    const own = typeof attributes === 'function' ? attributes(id) : attributes;
    const { username, credential } = this.#credential ?? { username: '', credential: '' };
    const isSigned = this.#nonce.length > 0 && method !== 'binding';
    const proof: Attributes = isSigned
      ? [
          [ATTRIBUTE.username, Buffer.from(username)],
          [ATTRIBUTE.realm, Buffer.from(this.#realm)],
          [ATTRIBUTE.nonce, this.#nonce],
        ]
      : [];
    const key = isSigned ? longTermKey(username, this.#realm, credential) : undefined;
    this.lastSent = encode({ method, class: 'request', id }, [...own, ...proof], key);
    const answer = await this.#exchange(this.lastSent, id);
    if (answer.class === 'success') return answer;
    this.#realm = answer.attributes.get(ATTRIBUTE.realm)?.toString() ?? this.#realm;
    this.#nonce = Buffer.from(answer.attributes.get(ATTRIBUTE.nonce) ?? this.#nonce);
    throw new TurnError(errorCode(answer));
  }

  async #exchange(bytes: Buffer, id: Buffer): Promise<StunMessage> {
    const key = id.toString('hex');
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<StunMessage>((resolve, reject) => {
        this.#waiting.set(key, resolve);
        timer = setTimeout(() => reject(new TurnError(0)), ANSWER_MS);
        this.#wire.send(bytes);
      });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(key);
    }
  }

  #receive(bytes: Buffer): void {
    const first = bytes[0] ?? 0;
    if (first >= 0x40 && first < 0x80) {
      const peer = this.#channels.get(bytes.readUInt16BE(0));
      if (peer) this.onRelayed({ peer, bytes: bytes.subarray(4, 4 + bytes.readUInt16BE(2)) });
      return;
    }
    const message = decode(bytes);
    if (message === undefined) return;
    if (message.method === 'data' && message.class === 'indication') {
      const [peer, sent] = [message.attributes.get(ATTRIBUTE.peer), message.attributes.get(ATTRIBUTE.data)];
      const from = peer && readXorAddress(peer, message.id);
      if (from && sent) this.onRelayed({ peer: from, bytes: sent });
    } else this.#waiting.get(message.id.toString('hex'))?.(message);
  }
}
