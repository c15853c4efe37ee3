/**
 * A probe on the wire, 32 bytes: `VCP1`, kind (1 asks, 2 answers), three zeros, number (4 bytes, big endian), a chance value
 * (4 bytes), and HMAC-SHA-256 over all before it, cut to 16 bytes, under the key of the Node that is asked. An answer is as
 * long as its question and is given to a question with that key alone, so nobody is flooded over us.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const PROBE_BYTES = 32;
export const PROBE_KEY_BYTES = 32;
const MAGIC = 0x56435031;
const HEAD_BYTES = 16;

export type ProbeKind = 'ask' | 'answer';
const KINDS: Readonly<Record<ProbeKind, number>> = { ask: 1, answer: 2 };

export interface Probe {
  readonly kind: ProbeKind;
  /** Unsigned, 32 bits. */
  readonly seq: number;
  readonly chance: number;
}

export function writeProbe({ kind, seq, chance }: Probe, key: Uint8Array): Buffer {
  const packet = Buffer.alloc(PROBE_BYTES);
  packet.writeUInt32BE(MAGIC, 0);
  packet.writeUInt8(KINDS[kind], 4);
  packet.writeUInt32BE(seq, 8);
  packet.writeUInt32BE(chance, 12);
  macOf(packet, key).copy(packet, HEAD_BYTES);
  return packet;
}

/** Undefined: not a probe of this kind under this key. */
export function readProbe(packet: Buffer, kind: ProbeKind, key: Uint8Array): Probe | undefined {
  if (packet.length !== PROBE_BYTES || packet.readUInt32BE(0) !== MAGIC || packet.readUInt8(4) !== KINDS[kind])
    return undefined;
  if (!timingSafeEqual(macOf(packet, key), packet.subarray(HEAD_BYTES))) return undefined;
  return { kind, seq: packet.readUInt32BE(8), chance: packet.readUInt32BE(12) };
}

function macOf(packet: Buffer, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(packet.subarray(0, HEAD_BYTES)).digest().subarray(0, HEAD_BYTES);
}
