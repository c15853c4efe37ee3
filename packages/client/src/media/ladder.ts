/**
 * How a picture is encoded: which simulcast layers, how large, how many bits. Pure.
 *
 * A source always has the same number of encodings, so that another camera needs no new negotiation. A layer stands for
 * a size (of a camera about 320, 640 and 1280 wide) and not for a fraction of the capture: a small capture leaves the upper
 * layers off and its lower ones still fit the tiles that the server gives them to.
 */
import type { Source } from '@veilcast/protocol';

export interface CaptureSize {
  readonly width: number;
  readonly height: number;
}

/** What mediasoup-client takes per encoding; `rid` is given by it. */
export interface Layer {
  readonly active: boolean;
  readonly scaleResolutionDownBy: number;
  readonly maxBitrate: number;
  readonly maxFramerate?: number;
  readonly scalabilityMode: string;
}

const CAMERA_LAYERS = 3;
const SCREEN_LAYERS = 2;

/** Pixels from which on Chromium encodes so many layers; it silently drops the upper ones of more. Measured with VP8. */
const LAYERS_BY_PIXELS: readonly (readonly [pixels: number, layers: number])[] = [
  [0, 1],
  [480 * 270, 2],
  [960 * 540, 3],
];

/** Bits a second of a layer, by its pixels. Between two rows: the lower. */
const CAMERA_BITRATES: readonly (readonly [pixels: number, bitrate: number])[] = [
  [0, 100_000],
  [240 * 135, 150_000],
  [320 * 180, 250_000],
  [480 * 270, 400_000],
  [640 * 360, 700_000],
  [960 * 540, 1_300_000],
  [1280 * 720, 2_000_000],
  [1920 * 1080, 3_800_000],
  [2560 * 1440, 6_500_000],
  [3840 * 2160, 13_000_000],
];

/** Text needs sharpness, not motion: bits for whole pictures, few of them. */
const SCREEN_SHARPNESS = 1.25;
const SCREEN_FRAMERATE = 15;

function lookUp(rows: readonly (readonly [number, number])[], pixels: number): number {
  let found = rows[0]![1];
  for (const [from, value] of rows) if (pixels >= from) found = value;
  return found;
}

/** Lowest layer first, as RFC 8853 orders rids. */
export function simulcastLadder(size: CaptureSize, source: Source): Layer[] {
  const screen = source === 'screen';
  const count = screen ? SCREEN_LAYERS : CAMERA_LAYERS;
  const pixels = size.width * size.height;
  const active = Math.min(count, lookUp(LAYERS_BY_PIXELS, pixels));
  return Array.from({ length: count }, (_, index) => {
    const scale = 2 ** Math.max(0, active - 1 - index);
    const bitrate = lookUp(CAMERA_BITRATES, pixels / scale ** 2) * (screen ? SCREEN_SHARPNESS : 1);
    return {
      active: index < active,
      scaleResolutionDownBy: scale,
      maxBitrate: Math.round(bitrate),
      ...(screen ? { maxFramerate: SCREEN_FRAMERATE } : {}),
      scalabilityMode: screen ? 'L1T2' : 'L1T3',
    };
  });
}
