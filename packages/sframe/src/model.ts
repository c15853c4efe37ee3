/**
 * Frames of media, sealed (RFC 9605 suite AES_256_GCM_SHA512_128) in the trailer form of ADR 0007:
 * `[clear prefix p][ciphertext][tag 16][SFrame header h][p:u8][h:u8]`, prefix and header authenticated; H.264 and AV1 in the
 * same form spread over their units (ADR 0017).
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

/**
 * `unknown-key`: the key is not here, and may come. `passed-key`: of an Epoch that is over, or was before we came; it never does.
 */
export type OpenRefusal =
  'malformed' | 'clear-range' | 'unknown-key' | 'passed-key' | 'wrong-sender' | 'replay' | 'forged';
/**
 * `short`: the frame is shorter than its clear range. `layout`: not units of its codec, or none with a picture in it.
 * `exhausted`: no counter left under this key.
 */
export type SealRefusal = 'short' | 'layout' | 'no-key' | 'exhausted';

export type SealOutcome =
  | { readonly kind: 'sealed'; readonly bytes: Uint8Array<ArrayBuffer>; readonly epoch: number }
  | { readonly kind: 'refused'; readonly reason: SealRefusal };

export type OpenOutcome =
  | { readonly kind: 'opened'; readonly bytes: Uint8Array<ArrayBuffer>; readonly key: KeyId }
  | { readonly kind: 'refused'; readonly reason: OpenRefusal };

/** What one MLS Epoch gives to frames; `baseKey` is copied into a non-extractable key and may be zeroed after `install`. */
export interface EpochInstall {
  /** The whole Epoch, not its low bits. */
  readonly epoch: number;
  /** MLS-Exporter("SFrame 1.0 Base Key", "", 64). */
  readonly baseKey: Uint8Array;
  readonly selfLeaf: number;
  /** Who sits at which leaf. */
  readonly members: ReadonlyMap<number, string>;
}
