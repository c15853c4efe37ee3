/**
 * A device's word, signed with its ML-DSA-65 key, that an MLS leaf key is its own in one Room until then. It is made before
 * the join, so it names no Peer: the leaf credential does, inside a leaf that the leaf key itself signs (ADR 0011).
 *
 * `u8 version=1 | u8 guest | device[16] | text room | leaf[32] | binding[32] | u64 expiresAt | signature[3309]`, under LEAF_CONTEXT.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { RoomId } from '@veilcast/protocol';
import { SIGNATURE_BYTES, type Signatures, type SigningKey } from '../pq/index.ts';
import { DEVICE_ID_BYTES } from './bundle.ts';
import { LEAF_CONTEXT } from './contexts.ts';
import { type Reader, readWhole, Writer } from './layout.ts';

const VERSION = 1;
const LEAF_BYTES = 32;
const BINDING_BYTES = 32;
const BINDING_LABEL = new TextEncoder().encode('veilcast/1 token binding');
export const STATEMENT_MAX = 2 + DEVICE_ID_BYTES + 65 + LEAF_BYTES + BINDING_BYTES + 8 + SIGNATURE_BYTES;

export interface StatementClaims {
  /** The device says that it made its key for this visit and will forget it. */
  readonly guest: boolean;
  readonly device: Uint8Array;
  readonly room: RoomId;
  /** Ed25519 public key of the leaf. */
  readonly leaf: Uint8Array;
  /** `tokenBinding` of the join token that comes with it: a statement taken from elsewhere opens no door. */
  readonly binding: Uint8Array;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

export interface Statement extends StatementClaims {
  readonly signature: Uint8Array;
}

/** Says nothing about the token to whoever does not have it: a token ends in 64 bytes of signature. */
export function tokenBinding(token: string): Uint8Array {
  return sha256(new Writer().bytes(BINDING_LABEL).bytes(new TextEncoder().encode(token)).done());
}

function write({ guest, device, room, leaf, binding, expiresAt }: StatementClaims): Writer {
  return new Writer()
    .u8(VERSION)
    .u8(guest ? 1 : 0)
    .fixed(device, DEVICE_ID_BYTES)
    .text(room)
    .fixed(leaf, LEAF_BYTES)
    .fixed(binding, BINDING_BYTES)
    .u64(expiresAt);
}

/** @throws RangeError for fields of other lengths */
export async function signStatement(
  claims: StatementClaims,
  device: Pick<SigningKey, 'sign'>,
): Promise<Uint8Array<ArrayBuffer>> {
  const signed = write(claims).done();
  const signature = await device.sign(signed, LEAF_CONTEXT);
  return new Writer().bytes(signed).fixed(signature, SIGNATURE_BYTES).done();
}

function read(reader: Reader): Statement {
  const guest = reader.version(VERSION).u8();
  if (guest > 1) throw new RangeError('neither guest nor not');
  return {
    guest: guest === 1,
    device: reader.fixed(DEVICE_ID_BYTES),
    room: RoomId.parse(reader.text()),
    leaf: reader.fixed(LEAF_BYTES),
    binding: reader.fixed(BINDING_BYTES),
    expiresAt: reader.u64(),
    signature: reader.fixed(SIGNATURE_BYTES),
  };
}

/** Undefined for anything but one statement. Its signature is not looked at. Never throws. */
export function decodeStatement(bytes: Uint8Array): Statement | undefined {
  return readWhole(bytes, STATEMENT_MAX, read);
}

export function verifyStatement(statement: Statement, key: Uint8Array, signatures: Signatures): Promise<boolean> {
  return signatures.verify(key, write(statement).done(), statement.signature, LEAF_CONTEXT);
}
