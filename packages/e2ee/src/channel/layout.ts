/** The messages of the handshake as bytes: what stands where, looked at before any key is. */
import { ClusterError } from '@veilcast/protocol';
import { KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES } from '../pq/index.ts';
import { requireSize } from './bytes.ts';
import { KIND, M1_MAX, M1_MIN, M2_MAX, M2_MIN, M3_MAX, M3_MIN } from './constants.ts';

const M1_KEY_END = 1 + KEM_PUBLIC_BYTES;
const M1_OPEN = M1_KEY_END + KEM_CIPHERTEXT_BYTES;
const M2_OPEN = 2 + KEM_CIPHERTEXT_BYTES;

interface Parts {
  /** What goes into the transcript before the rest is opened. */
  readonly open: Uint8Array;
  readonly sealed: Uint8Array;
}

/** @throws ClusterError HANDSHAKE_FAILED, OVERSIZE */
export function readM1(m1: Uint8Array): Parts & { readonly publicKey: Uint8Array; readonly cipherText: Uint8Array } {
  requireSize(m1, M1_MIN, M1_MAX, 'HANDSHAKE_FAILED');
  if (m1[0] !== KIND.m1) throw new ClusterError('HANDSHAKE_FAILED', 'not m1');
  const publicKey = m1.slice(1, M1_KEY_END);
  return { ...split(m1, M1_OPEN), publicKey, cipherText: m1.slice(M1_KEY_END, M1_OPEN) };
}

/** @throws ClusterError HANDSHAKE_FAILED, OVERSIZE */
export function readM2(m2: Uint8Array): Parts & { readonly resumed: boolean; readonly cipherText: Uint8Array } {
  requireSize(m2, M2_MIN, M2_MAX, 'HANDSHAKE_FAILED');
  const resumed = m2[1] === 1;
  if (m2[0] !== KIND.m2 || (m2[1] !== 0 && !resumed)) throw new ClusterError('HANDSHAKE_FAILED', 'not m2');
  return { ...split(m2, M2_OPEN), resumed, cipherText: m2.slice(2, M2_OPEN) };
}

/** @throws ClusterError HANDSHAKE_FAILED, OVERSIZE */
export function readM3(m3: Uint8Array): Parts {
  requireSize(m3, M3_MIN, M3_MAX, 'HANDSHAKE_FAILED');
  if (m3[0] !== KIND.m3) throw new ClusterError('HANDSHAKE_FAILED', 'not m3');
  return split(m3, 1);
}

function split(message: Uint8Array, at: number): Parts {
  return { open: message.slice(0, at), sealed: message.slice(at) };
}
