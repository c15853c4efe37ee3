/**
 * How a picture is encoded: which simulcast layers, how large, how many bits. Pure.
 *
 * Three layers at a quarter, a half and the whole of the captured size; small captures lose the layers that would be too
 * small to look at, since every layer costs an encoder.
 */
import type { Source } from '@veilcast/protocol';

export interface CaptureSize {
  readonly width: number;
  readonly height: number;
}

/** What mediasoup-client takes per encoding; `rid` is given by it. */
export interface Layer {
  readonly scaleResolutionDownBy: number;
  readonly maxBitrate: number;
  readonly maxFramerate?: number;
  readonly scalabilityMode: string;
}

/** Bits a second at full size for a camera, by the pixels captured. Between two rows: the lower. Measured in use with VP8. */
const CAMERA_BITRATES: readonly (readonly [pixels: number, bitrate: number])[] = [
  [0, 250_000],
  [320 * 180, 350_000],
  [640 * 360, 900_000],
  [960 * 540, 1_400_000],
  [1280 * 720, 2_200_000],
  [1920 * 1080, 3_800_000],
  [2560 * 1440, 6_500_000],
  [3840 * 2160, 13_000_000],
];

/** A layer with fewer lines than this is not worth an encoder. */
const SMALLEST_HEIGHT = 90;

/** Half the size carries a quarter of the pixels; a third of the bits keeps it from looking worse than its neighbour. */
const SHARE_OF_LAYER = [1, 0.33, 0.11] as const;

/** Text needs sharpness, not motion: few temporal layers, a floor under the bits. */
const SCREEN_BITRATE_MIN = 1_500_000;
const SCREEN_BITRATE_MAX = 5_000_000;
const SCREEN_FRAMERATE = 15;

function fullBitrate(size: CaptureSize): number {
  const pixels = size.width * size.height;
  let bitrate = CAMERA_BITRATES[0]![1];
  for (const [from, bits] of CAMERA_BITRATES) if (pixels >= from) bitrate = bits;
  return bitrate;
}

/** Lowest layer first, as RFC 8853 orders rids. Never empty. */
export function simulcastLadder(size: CaptureSize, source: Source): Layer[] {
  if (source === 'screen') return screenLadder(size);
  const full = fullBitrate(size);
  const lines = Math.min(size.width, size.height);
  return [4, 2, 1]
    .filter((scale) => scale === 1 || lines / scale >= SMALLEST_HEIGHT)
    .map((scale) => ({
      scaleResolutionDownBy: scale,
      maxBitrate: Math.round(full * SHARE_OF_LAYER[Math.log2(scale)]!),
      scalabilityMode: 'L1T3',
    }));
}

/** Two layers: the whole, and a half for small tiles and thin lines. */
function screenLadder(size: CaptureSize): Layer[] {
  const full = Math.min(SCREEN_BITRATE_MAX, Math.max(SCREEN_BITRATE_MIN, fullBitrate(size)));
  return [2, 1].map((scale) => ({
    scaleResolutionDownBy: scale,
    maxBitrate: Math.round(full * SHARE_OF_LAYER[Math.log2(scale)]!),
    maxFramerate: SCREEN_FRAMERATE,
    scalabilityMode: 'L1T2',
  }));
}
