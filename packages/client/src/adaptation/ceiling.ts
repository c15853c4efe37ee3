/** What a ceiling leaves of what would be sent and asked for. Pure: it lowers, and never raises. */
import type { ShownTile } from '../call.ts';
import type { Layer } from '../media/ladder.ts';
import type { SendCeiling } from './adapt.ts';

/** All layers in one stream: its upper ones fall off where there are no bits for them. */
const ONE_STREAM_BPS = [200_000, 800_000] as const;

/** Layers above are off; those below have fewer frames where that is said. Their bits are the browser's to divide. */
export function layersUnder(layers: readonly Layer[], ceiling: SendCeiling | undefined): Layer[] {
  if (!ceiling) return [...layers];
  const { layersMax, framesPerSecond = Infinity } = ceiling;
  const isOneStream = layers.length === 1;
  return layers.map((layer, index) => {
    const isOver = layersMax === null || (!isOneStream && index > layersMax);
    const most = isOneStream ? (ONE_STREAM_BPS[layersMax ?? 0] ?? Infinity) : Infinity;
    const maxFramerate = Math.min(layer.maxFramerate ?? Infinity, framesPerSecond);
    return {
      ...layer,
      active: layer.active && !isOver,
      maxBitrate: Math.min(layer.maxBitrate, most),
      ...(Number.isFinite(maxFramerate) ? { maxFramerate } : {}),
    };
  });
}

/** Widths for which a server gives a camera's layer 0 or 1 at most: a layer of 320 or 640 may be stretched by a quarter. Device pixels. */
const WIDTHS = [400, 800] as const;
const CAMERA_ASPECT = 16 / 9;

/** Smaller tiles ask for lower layers; with null nothing is shown. */
export function tilesUnder(tiles: readonly ShownTile[], layersMax: number | null): ShownTile[] {
  if (layersMax === null) return tiles.map((tile) => ({ ...tile, visible: false }));
  const most = WIDTHS[layersMax];
  if (most === undefined) return [...tiles];
  return tiles.map((tile) => {
    const share = Math.min(1, most / Math.max(1, tile.width, tile.height * CAMERA_ASPECT));
    return { ...tile, width: Math.floor(tile.width * share), height: Math.floor(tile.height * share) };
  });
}
