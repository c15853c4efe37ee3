/** Which layer for which tile; and that a Consumer follows its tile. */
import * as fc from 'fast-check';
import type {
  ConsumerId,
  NodeId,
  ParticipantId,
  PeerId,
  ProducerId,
  RegionId,
  RoomId,
  TileView,
  WorkerId,
} from '@veilcast/protocol';
import { describe, expect, test } from 'vitest';
import { openRoom, reduce, wantedOf, type RoomEffect, type RoomEvent, type RoomState } from './index.ts';

const producerId = 'cam' as ProducerId;
const micId = 'mic' as ProducerId;

function tile(width: number, visible = true): TileView {
  return { producerId, width, height: Math.ceil((width * 9) / 16), visible };
}

const three = { kind: 'video', spatialLayers: 3 } as const;

describe('the layer of a tile', () => {
  test.each([
    [1, 0],
    [320, 0],
    [400, 0],
    [401, 1],
    [640, 1],
    [800, 1],
    [801, 2],
    [4000, 2],
  ])('of a camera shown %i wide is %i of 320, 640, 1280', (width, spatial) => {
    expect(wantedOf(three, 'camera', tile(width))).toEqual({ visible: true, spatial });
  });

  test('of a camera follows the height of a tall tile, which its picture fills', () => {
    expect(wantedOf(three, 'camera', { ...tile(360), height: 720 })).toEqual({ visible: true, spatial: 2 });
    expect(wantedOf(three, 'screen', { ...tile(360), height: 720 })).toEqual({ visible: true, spatial: 0 });
  });

  test('is the middle one, and runs, before the Peer has said what it shows', () => {
    expect(wantedOf(three, 'camera', undefined)).toEqual({ visible: true, spatial: 1 });
    expect(wantedOf({ kind: 'video', spatialLayers: 1 }, 'camera', undefined)).toEqual({ visible: true, spatial: 0 });
  });

  test('of a shared screen is the top one as soon as it is large enough to be read', () => {
    expect(wantedOf(three, 'screen', tile(640))).toEqual({ visible: true, spatial: 2 });
    expect(wantedOf(three, 'screen', tile(300))).toEqual({ visible: true, spatial: 0 });
  });

  test('exists, never shrinks as the tile grows, and is sharp enough or the best there is', () => {
    const source = fc.constantFrom('camera' as const, 'screen' as const);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(8192), fc.nat(8192), source, (spatialLayers, a, b, from) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map(
          (width) => wantedOf({ kind: 'video', spatialLayers }, from, tile(width)).spatial,
        ) as [number, number];
        expect(low).toBeLessThanOrEqual(high);
        expect(high).toBeLessThan(spatialLayers);
        const sent = 1280 / 2 ** (spatialLayers - 1 - low);
        if (from === 'camera' && low < spatialLayers - 1) expect(sent).toBeGreaterThanOrEqual(0.8 * Math.min(a, b));
      }),
    );
  });
});

const placement = { nodeId: 'n' as NodeId, workerId: 'n/0' as WorkerId, region: 'eu' as RegionId };
const me = 'me' as PeerId;
const you = 'you' as PeerId;
const video = 'k-cam' as ConsumerId;
const audio = 'k-mic' as ConsumerId;

function run(state: RoomState, events: readonly RoomEvent[]): { state: RoomState; effects: readonly RoomEffect[] } {
  let next = state;
  const effects: RoomEffect[] = [];
  for (const event of events) {
    const step = reduce(next, event, 0);
    next = step.state;
    effects.push(...step.effects.filter(({ kind }) => kind === 'setLayers' || kind === 'pauseConsumers'));
  }
  return { state: next, effects };
}

function enter(peerId: PeerId): readonly RoomEvent[] {
  return [
    { kind: 'arrive', peerId, participantId: peerId as string as ParticipantId, role: 'speaker' },
    { kind: 'placed', peerId, placement },
  ];
}

function scene(): { state: RoomState; effects: readonly RoomEffect[] } {
  const consumer = { placement, started: false, paused: true } as const;
  const producer = { placement, paused: false } as const;
  return run(openRoom('r' as RoomId, { peersMax: 9, producersMax: 8, firstIsHost: true }), [
    ...enter(you),
    ...enter(me),
    { kind: 'produced', peerId: you, producer: { ...producer, producerId, kind: 'video', source: 'camera' } },
    {
      kind: 'produced',
      peerId: you,
      producer: { ...producer, producerId: micId, kind: 'audio', source: 'microphone' },
    },
    {
      kind: 'consumed',
      peerId: me,
      consumer: { ...consumer, consumerId: video, producerId, kind: 'video', spatialLayers: 3, spatial: 2 },
    },
    {
      kind: 'consumed',
      peerId: me,
      consumer: { ...consumer, consumerId: audio, producerId: micId, kind: 'audio', spatialLayers: 1, spatial: 0 },
    },
  ]);
}

function show(...tiles: readonly TileView[]): RoomEvent {
  return { kind: 'showTiles', peerId: me, tiles };
}

const start: RoomEvent = { kind: 'resumeConsumers', peerId: me, consumerIds: [video, audio] };

describe('a Consumer', () => {
  test('starts paused, on the middle layer, and runs when its Peer is ready', () => {
    const { state, effects } = scene();
    expect(effects).toEqual([{ kind: 'setLayers', consumerId: video, spatial: 1, placement }]);
    expect(run(state, [start]).effects).toEqual([
      { kind: 'pauseConsumers', consumerIds: [video, audio], paused: false, placement },
    ]);
  });

  test('of a hidden video pauses, of its sound does not; it comes back on the layer that fits', () => {
    const { state } = run(scene().state, [start]);
    const hidden = run(state, [show(tile(500, false))]);
    expect(hidden.effects).toEqual([{ kind: 'pauseConsumers', consumerIds: [video], paused: true, placement }]);
    expect(run(hidden.state, [show(tile(0)), show(tile(900, false))]).effects).toEqual([]);
    expect(run(hidden.state, [show(tile(900))]).effects).toEqual([
      { kind: 'setLayers', consumerId: video, spatial: 2, placement },
      { kind: 'pauseConsumers', consumerIds: [video], paused: false, placement },
    ]);
  });

  test('that the picture leaves out is hidden once it has started, and not before', () => {
    const early = run(scene().state, [show(), start]);
    expect(early.effects.at(-1)).toMatchObject({ consumerIds: [video, audio], paused: false });
    expect(run(early.state, [show({ ...tile(100), producerId: micId }), show()]).effects).toEqual([
      { kind: 'pauseConsumers', consumerIds: [video], paused: true, placement },
    ]);
  });

  test('is not touched by a picture that changes no layer', () => {
    const { state } = run(scene().state, [start, show(tile(500))]);
    expect(run(state, [show(tile(520)), show(tile(500)), show(tile(500))]).effects).toEqual([]);
  });
});
