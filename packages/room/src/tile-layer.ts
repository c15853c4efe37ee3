/**
 * Which spatial layer of a video a Peer gets, and whether it gets any: from what it shows.
 *
 * A layer is chosen by width. Simulcast halves from layer to layer (320, 640, 1280 for a camera of three), so the next
 * layer up costs about three times the bits. A picture stretched by a quarter is not seen as soft; a picture stretched
 * by more is. Hence the lowest layer of at least 0.8 of the tile's width in device pixels.
 */
import type { Source, TileView } from '@veilcast/protocol';
import type { Consumer } from './state.ts';

/** Width that a layer must have, as a share of the tile's. Higher: sharper and dearer. Lower: softer. */
const SHARP_ENOUGH = 0.8;
/** Width of the top layer of a camera, device pixels. The client captures 720p unless asked otherwise. */
const CAMERA_WIDTH = 1280;
/** Width by height of what cameras give. */
const CAMERA_ASPECT = 16 / 9;
/** Width of a shared screen's top layer. Most screens are at least that wide. */
const SCREEN_WIDTH = 1920;
/** From this tile width on, a shared screen is there to be read: text needs every pixel that was sent. */
const SCREEN_LARGE = 640;

/** What a Consumer should be doing. */
export interface Wanted {
  readonly visible: boolean;
  readonly spatial: number;
}

/** `tile` undefined: the Peer has not said yet, so something middling runs until it does. */
export function wantedOf(
  consumer: Pick<Consumer, 'kind' | 'spatialLayers'>,
  source: Source,
  tile: TileView | undefined,
): Wanted {
  const top = consumer.spatialLayers - 1;
  if (consumer.kind === 'audio') return { visible: true, spatial: 0 };
  if (!tile) return { visible: true, spatial: Math.floor(top / 2) };
  const visible = tile.visible && tile.width > 0 && tile.height > 0;
  return { visible, spatial: layerFor(source === 'screen' ? tile.width : coveredWidth(tile), source, top) };
}

/** A camera fills its tile: on a tall tile the picture is as wide as its height asks for, and its sides are cut off. */
function coveredWidth({ width, height }: TileView): number {
  return Math.max(width, height * CAMERA_ASPECT);
}

function layerFor(tileWidth: number, source: Source, top: number): number {
  if (source === 'screen' && tileWidth >= SCREEN_LARGE) return top;
  const full = source === 'screen' ? SCREEN_WIDTH : CAMERA_WIDTH;
  for (let layer = 0; layer < top; layer++) {
    if (full / 2 ** (top - layer) >= SHARP_ENOUGH * tileWidth) return layer;
  }
  return top;
}
