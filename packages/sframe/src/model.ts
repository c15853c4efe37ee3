/**
 * Frames of media, sealed (RFC 9605 suite AES_256_GCM_SHA512_128) in the trailer form of ADR 0007:
 * `[clear prefix p][ciphertext][tag 16][SFrame header h][p:u8][h:u8]`, prefix and header authenticated.
 * Pure: runs in a browser worker and in Node; WebCrypto is the only thing it touches.
 */

export type Codec = 'opus' | 'vp8' | 'vp9' | 'h264' | 'av1';

/** What the transform knows of a frame besides its bytes. */
export interface FrameContext {
  readonly codec: Codec;
  readonly keyFrame: boolean;
}

/** The fields of the KID, 32 bits: step 8 | stream 4 | leaf 12 | epoch 8. */
export interface KeyId {
  /** Ratchet step, one a second (RFC 9605 §5.1), low 8 bits. */
  readonly step: number;
  /** Tells apart the streams of one sender, so that none shares a counter: each simulcast layer is one. */
  readonly stream: number;
  /** MLS leaf index of the sender. */
  readonly leaf: number;
  /** Low 8 bits of the MLS Epoch. */
  readonly epoch: number;
}

export type OpenRefusal = 'malformed' | 'clear-range' | 'unknown-key' | 'wrong-sender' | 'replay' | 'forged';
