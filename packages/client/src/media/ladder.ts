/**
 * How a picture is encoded: which layers, how large, how many bits. Pure.
 *
 * VP8 and H.264 are sent as simulcast, a stream a layer; VP9 and AV1 as one stream with spatial layers in it, of which the
 * server leaves out the upper ones, where the browser can make them. A source always has the same number of encodings, so that another camera needs no new negotiation. A layer stands for
 * a size (of a camera about 320, 640 and 1280 wide) and not for a fraction of the capture: a small capture leaves the upper
 * layers off and its lower ones still fit the tiles that the server gives them to.
 */
import type { Source } from '@veilcast/protocol';
import type { VideoCodec } from './codec.ts';

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

/** Width that a picture must have, as a share of its tile's: as the server chooses layers (packages/room, tile-layer). */
const SHARP_ENOUGH = 0.8;

/** VP9 and AV1 need that much of what VP8 needs; `L3T3_KEY` predicts between layers at key frames only. */
const ONE_STREAM_SHARE = 0.8;

function lookUp(rows: readonly (readonly [number, number])[], pixels: number): number {
  let found = rows[0]![1];
  for (const [from, value] of rows) if (pixels >= from) found = value;
  return found;
}

/** The encodings of a picture. `spatialLayers`: whether this browser can encode them into one stream. */
export function encodingsOf(codec: VideoCodec, size: CaptureSize, source: Source, spatialLayers: boolean): Layer[] {
  const ladder = simulcastLadder(size, source);
  if (codec === 'vp8') return ladder;
  // Chromium's encoder of H.264 makes temporal layers that nothing in the stream tells apart.
  if (codec === 'h264') return ladder.map((layer) => ({ ...layer, scalabilityMode: 'L1T1' }));
  return [oneStream(ladder, source, spatialLayers)];
}

/** All layers in one stream take fewer bits than apart: each builds on the one below, at key frames at least. */
function oneStream(ladder: readonly Layer[], source: Source, spatialLayers: boolean): Layer {
  const active = ladder.filter((layer) => layer.active);
  const all = active.reduce((sum, { maxBitrate }) => sum + maxBitrate, 0);
  const top = active.at(-1)!;
  // Chromium's VP9 encoder makes nothing at all of a screen in several spatial layers.
  if (source === 'screen') return { ...top, scalabilityMode: spatialLayers ? 'L1T3' : 'L1T1' };
  return {
    ...top,
    maxBitrate: Math.round(spatialLayers ? all * ONE_STREAM_SHARE : top.maxBitrate),
    scalabilityMode: spatialLayers ? `L${ladder.length}T3_KEY` : 'L1T1',
  };
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

/**
 * The encodings when nobody watches a layer above `spatial`; null: nobody watches any. One stream goes on as a whole while
 * somebody watches: browsers cannot leave out its upper layers without a new negotiation, and the server does for each viewer.
 */
export function watchedOf(layers: readonly Layer[], spatial: number | null): Layer[] {
  const isOneStream = layers.length === 1;
  return layers.map((layer, index) => ({
    ...layer,
    active: layer.active && spatial !== null && (isOneStream || index <= spatial),
  }));
}

/** One stream for one viewer, no larger than its tile needs; of a screen every pixel, since it is there to be read. */
export function fittingLayer(
  size: CaptureSize,
  source: Source,
  tile: CaptureSize | undefined,
): Pick<Layer, 'active' | 'scaleResolutionDownBy' | 'maxBitrate' | 'maxFramerate'> {
  const screen = source === 'screen';
  const isSeen = tile === undefined || (tile.width > 0 && tile.height > 0);
  // A camera fills its tile: on a tall one its sides are cut off.
  const shown = tile && isSeen && !screen ? Math.max(tile.width, (tile.height * size.width) / size.height) : size.width;
  let scale = 1;
  while (size.width / (scale * 2) >= SHARP_ENOUGH * shown) scale *= 2;
  const bitrate = lookUp(CAMERA_BITRATES, (size.width * size.height) / scale ** 2) * (screen ? SCREEN_SHARPNESS : 1);
  return {
    active: isSeen,
    scaleResolutionDownBy: scale,
    maxBitrate: Math.round(bitrate),
    ...(screen ? { maxFramerate: SCREEN_FRAMERATE } : {}),
  };
}
