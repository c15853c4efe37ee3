/**
 * STUN and TURN messages, as much of them as it takes to ask a TURN server whether it lives and to try it out (RFC 8489, RFC 8656).
 * Pure. What comes is read with bounds: whatever is no message gives undefined.
 */
import { createHash, createHmac } from 'node:crypto';
import { isIPv6 } from 'node:net';

const COOKIE = 0x2112a442;
const HEADER = 20;
/** A message over UDP is never longer; over TCP nothing longer is waited for. */
const LENGTH_MAX = 65_535 - HEADER;

export const METHOD = { binding: 1, allocate: 3, refresh: 4, send: 6, data: 7, permission: 8, channel: 9 } as const;
export type Method = keyof typeof METHOD;
export type MessageClass = 'request' | 'indication' | 'success' | 'error';
const CLASSES: readonly MessageClass[] = ['request', 'indication', 'success', 'error'];

export const ATTRIBUTE = {
  username: 0x0006,
  integrity: 0x0008,
  error: 0x0009,
  channel: 0x000c,
  lifetime: 0x000d,
  peer: 0x0012,
  data: 0x0013,
  realm: 0x0014,
  nonce: 0x0015,
  relayed: 0x0016,
  transport: 0x0019,
  mapped: 0x0020,
} as const;

export interface Address {
  readonly ip: string;
  readonly port: number;
}

export interface StunMessage {
  readonly method: Method;
  readonly class: MessageClass;
  readonly id: Buffer;
  readonly attributes: ReadonlyMap<number, Buffer>;
}

export type Attributes = readonly (readonly [type: number, value: Buffer])[];

/** @param key of MESSAGE-INTEGRITY, which then ends the message */
export function encode(
  { method, class: kind, id }: Omit<StunMessage, 'attributes'>,
  attributes: Attributes,
  key?: Buffer,
): Buffer {
  const body = Buffer.concat(attributes.map(([type, value]) => attribute(type, value)));
  const code = METHOD[method];
  const at = CLASSES.indexOf(kind);
  const type = (code & 0xf) | ((code & 0x70) << 1) | ((code & 0xf80) << 2) | ((at & 1) << 4) | ((at & 2) << 7);
  const header = (length: number): Buffer => {
    const bytes = Buffer.alloc(HEADER);
    bytes.writeUInt16BE(type, 0);
    bytes.writeUInt16BE(length, 2);
    bytes.writeUInt32BE(COOKIE, 4);
    id.copy(bytes, 8, 0, 12);
    return bytes;
  };
  if (key === undefined) return Buffer.concat([header(body.length), body]);
  // The length counts the attribute that is being made (RFC 8489 §14.5).
  const signed = Buffer.concat([header(body.length + 24), body]);
  return Buffer.concat([signed, attribute(ATTRIBUTE.integrity, createHmac('sha1', key).update(signed).digest())]);
}

function attribute(type: number, value: Buffer): Buffer {
  const bytes = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(value.length, 2);
  value.copy(bytes, 4);
  return bytes;
}

/** Undefined: no STUN message, or one of a method that is not in METHOD. */
export function decode(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER || bytes.readUInt32BE(4) !== COOKIE) return undefined;
  const type = bytes.readUInt16BE(0);
  if (type > 0x3fff || bytes.readUInt16BE(2) !== bytes.length - HEADER) return undefined;
  const code = (type & 0xf) | ((type >> 1) & 0x70) | ((type >> 2) & 0xf80);
  const method = (Object.keys(METHOD) as Method[]).find((name) => METHOD[name] === code);
  const kind = CLASSES[((type >> 4) & 1) | ((type >> 7) & 2)];
  if (method === undefined || kind === undefined) return undefined;
  const attributes = new Map<number, Buffer>();
  for (let at = HEADER; at + 4 <= bytes.length;) {
    const length = bytes.readUInt16BE(at + 2);
    if (at + 4 + length > bytes.length) return undefined;
    attributes.set(bytes.readUInt16BE(at), bytes.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return { method, class: kind, id: bytes.subarray(8, HEADER), attributes };
}

/** How long the message or ChannelData is that a stream begins with; undefined until that can be told. @throws Error: neither */
export function frameLength(stream: Buffer): number | undefined {
  if (stream.length < 4) return undefined;
  const length = stream.readUInt16BE(2);
  const first = stream[0] ?? 0;
  if (first >= 0x40 && first < 0x80) return 4 + Math.ceil(length / 4) * 4;
  if (first >= 0x40 || length > LENGTH_MAX) throw new Error('neither STUN nor ChannelData');
  return HEADER + length;
}

/** Key of a long-term credential (RFC 8489 §9.2.2). */
export function longTermKey(username: string, realm: string, password: string): Buffer {
  return createHash('md5').update(`${username}:${realm}:${password}`).digest();
}

/** XOR-PEER-ADDRESS and its like (RFC 8489 §14.2). */
export function xorAddress({ ip, port }: Address, id: Buffer): Buffer {
  const address = isIPv6(ip) ? ipv6Bytes(ip) : Buffer.from(ip.split('.').map(Number));
  const bytes = Buffer.alloc(4 + address.length);
  bytes[1] = address.length === 4 ? 1 : 2;
  bytes.writeUInt16BE(port ^ (COOKIE >>> 16), 2);
  masked(address, id).copy(bytes, 4);
  return bytes;
}

export function readXorAddress(value: Buffer, id: Buffer): Address | undefined {
  if (value.length !== 8 && value.length !== 20) return undefined;
  const port = value.readUInt16BE(2) ^ (COOKIE >>> 16);
  const address = masked(value.subarray(4), id);
  if (address.length === 4) return { ip: [...address].join('.'), port };
  const groups = Array.from({ length: 8 }, (_, at) => address.readUInt16BE(2 * at).toString(16));
  return { ip: groups.join(':'), port };
}

function masked(address: Buffer, id: Buffer): Buffer {
  const mask = Buffer.alloc(16);
  mask.writeUInt32BE(COOKIE, 0);
  id.copy(mask, 4, 0, 12);
  return Buffer.from(address.map((byte, at) => byte ^ (mask[at] ?? 0)));
}

function ipv6Bytes(ip: string): Buffer {
  // URL writes every form as groups of hexadecimal digits.
  const groups = new URL(`http://[${ip}]`).hostname.slice(1, -1).split('::');
  const [head = [], tail = []] = groups.map((part) => (part === '' ? [] : part.split(':')));
  const all =
    groups.length === 1 ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** The code of an ERROR-CODE attribute, and 0 of what is none. */
export function errorCode(message: StunMessage): number {
  const value = message.attributes.get(ATTRIBUTE.error);
  return value === undefined || value.length < 4 ? 0 : (value[2] ?? 0) * 100 + (value[3] ?? 0);
}
