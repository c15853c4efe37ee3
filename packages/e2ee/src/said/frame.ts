/**
 * One frame of the said stream: what stands inside a sealed application message (ADR 0019). Whatever is said is cut into
 * frames; a short thing is one. All numbers big-endian:
 *
 * `u8 version = 1 · u8 way (0 ordered, 1 loose) · 16 stream · u48 number · u48 clock · u16 piece · u16 pieces · u8 n · n kind · payload`
 *
 * The stream and its numbers are the sender's word; that the frame is the sender's at all is MLS's.
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { decodeText } from '../bytes.ts';

const VERSION = 1;
const STREAM_BYTES = 16;
const HEADER_BYTES = 35;
export const KIND_NAME_MAX = 32;
/** Payload of a frame: with header, signature and lengths it fills the bucket of 16,384 and no larger one. */
export const PIECE_BYTES = 16_128;
/** Pieces of one thing said: just over a mebibyte. What is larger is said in several things. */
export const PIECES_MAX = 64;
/** Before anything is looked at. */
export const FRAME_BYTES_MAX = HEADER_BYTES + KIND_NAME_MAX + PIECE_BYTES;
/** Numbers and clocks are 48 bits: exact in a number of the language. */
export const NUMBER_MAX = 2 ** 48 - 1;

const KIND_NAME = /^[a-z][A-Za-z0-9]{0,31}$/;

/** ordered: numbered, delivered in order, asked for when missing. loose: at once or never. */
export type Way = 'ordered' | 'loose';

export interface SaidFrame {
  /** 16 bytes as hexadecimal digits; chosen once a call by its speaker, who keeps it over reconnects. */
  readonly stream: string;
  readonly way: Way;
  /** ordered: this frame's place in the stream, from 1. loose: the same for all pieces of one thing. */
  readonly number: number;
  /** Lamport's: above every clock that the speaker had heard. */
  readonly clock: number;
  readonly piece: number;
  readonly pieces: number;
  readonly kind: string;
  readonly payload: Uint8Array;
}

/** @throws RangeError when a field is outside its limits: a bug of ours */
export function encodeFrame(frame: SaidFrame): Uint8Array {
  if (!isSound(frame)) throw new RangeError('not a frame');
  const kind = new TextEncoder().encode(frame.kind);
  const bytes = new Uint8Array(HEADER_BYTES + kind.length + frame.payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, frame.way === 'loose' ? 1 : 0);
  bytes.set(hexToBytes(frame.stream), 2);
  setUint48(view, 18, frame.number);
  setUint48(view, 24, frame.clock);
  view.setUint16(30, frame.piece);
  view.setUint16(32, frame.pieces);
  view.setUint8(34, kind.length);
  bytes.set(kind, HEADER_BYTES);
  bytes.set(frame.payload, HEADER_BYTES + kind.length);
  return bytes;
}

/** Undefined for anything that `encodeFrame` does not make. Never throws. */
export function decodeFrame(bytes: Uint8Array): SaidFrame | undefined {
  if (bytes.length < HEADER_BYTES || bytes.length > FRAME_BYTES_MAX) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const way = view.getUint8(1);
  const body = HEADER_BYTES + view.getUint8(34);
  if (view.getUint8(0) !== VERSION || way > 1 || bytes.length < body) return undefined;
  const frame: SaidFrame = {
    stream: bytesToHex(bytes.subarray(2, 2 + STREAM_BYTES)),
    way: way === 1 ? 'loose' : 'ordered',
    number: getUint48(view, 18),
    clock: getUint48(view, 24),
    piece: view.getUint16(30),
    pieces: view.getUint16(32),
    kind: decodeText(bytes.subarray(HEADER_BYTES, body)) ?? '',
    payload: bytes.slice(body),
  };
  return isSound(frame) ? frame : undefined;
}

/** The number of its first piece, by which the pieces of one thing find each other. */
export function firstNumber(frame: Pick<SaidFrame, 'way' | 'number' | 'piece'>): number {
  return frame.way === 'ordered' ? frame.number - frame.piece : frame.number;
}

/** All pieces but the last are full, so that there is one way to cut a thing. */
function isSound(frame: SaidFrame): boolean {
  const { stream, number, clock, piece, pieces, kind, payload } = frame;
  if (!/^[0-9a-f]{32}$/.test(stream) || !KIND_NAME.test(kind)) return false;
  if (!inRange(number, 1, NUMBER_MAX) || !inRange(clock, 1, NUMBER_MAX)) return false;
  if (!inRange(pieces, 1, PIECES_MAX) || !inRange(piece, 0, pieces - 1)) return false;
  if (frame.way === 'ordered' && firstNumber(frame) < 1) return false;
  const last = piece === pieces - 1;
  return last ? payload.length <= PIECE_BYTES && (pieces === 1 || payload.length > 0) : payload.length === PIECE_BYTES;
}

function inRange(value: number, from: number, to: number): boolean {
  return Number.isInteger(value) && value >= from && value <= to;
}

function setUint48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 2, value % 2 ** 32);
}

function getUint48(view: DataView, at: number): number {
  return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
}
