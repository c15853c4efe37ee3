/** What a large Room forwards, over random histories; and whose picture comes when somebody speaks. */
import type {
  ConsumerId,
  NodeId,
  ParticipantId,
  PeerId,
  ProducerId,
  RegionId,
  RoomId,
  WorkerId,
} from '@veilcast/protocol';
import { describe, expect, test } from 'vitest';
import { everyStep } from '../test/histories.ts';
import { openRoom, reduce, type RoomEffect, type RoomEvent, type RoomState } from './index.ts';

describe('a Room with more than it forwards', () => {
  test('sends nobody more cameras and voices than its policy says, and tells each whose picture is held back', () => {
    const told = new Map<ConsumerId, boolean>();
    everyStep(({ before, step: { state, effects } }) => {
      if (before.peers.size === 0) told.clear();
      for (const effect of effects) {
        if (effect.kind !== 'tell' || effect.event.name !== 'consumersHeld') continue;
        for (const id of effect.event.body.consumerIds) told.set(id, effect.event.body.held);
      }
      // What is gone is forgotten; histories give its id to another.
      const there = new Set(
        [...state.peers.values()].flatMap(({ consumers }) => [...consumers.values()]).map((one) => one.consumerId),
      );
      for (const id of told.keys()) if (!there.has(id)) told.delete(id);
      const sources = new Map([...state.peers.values()].flatMap((peer) => [...peer.producers]));
      const isChosen = state.voices.open.size > state.policy.voicesFrom;
      expect(state.voices.places.size).toBeLessThanOrEqual(state.policy.voicesMax);
      for (const peer of state.peers.values()) {
        const running = [...peer.consumers.values()].filter(({ paused }) => !paused);
        const of = (source: string) => running.filter(({ producerId }) => sources.get(producerId)?.source === source);
        expect(of('camera').length).toBeLessThanOrEqual(state.policy.camerasMax);
        for (const { producerId, consumerId, held } of peer.consumers.values()) {
          expect(told.get(consumerId) ?? false).toBe(held);
          if (held) expect(sources.get(producerId)?.source).not.toBe('screen');
        }
        for (const { producerId } of isChosen ? of('microphone') : []) {
          const isPinned = peer.tiles.get(producerId)?.pinned === true;
          expect(isPinned || state.voices.places.has(producerId) || sources.get(producerId)?.paused).toBe(true);
        }
      }
    });
  });
});

const placement = { nodeId: 'n' as NodeId, workerId: 'n/0' as WorkerId, region: 'eu' as RegionId };
const me = 'me' as PeerId;
const people = ['ada', 'bo', 'cy', 'di'];
const camera = (name: string) => `${name}-camera` as ProducerId;
const microphone = (name: string) => `${name}-microphone` as ProducerId;
const received = (producerId: ProducerId) => `k-${producerId}` as ConsumerId;

function enter(name: string): RoomEvent[] {
  const peerId = name as PeerId;
  return [
    { kind: 'arrive', peerId, participantId: name as ParticipantId, role: 'speaker' },
    { kind: 'placed', peerId, placement },
  ];
}

function sendAndGet(name: string, source: 'camera' | 'microphone'): RoomEvent[] {
  const producerId = source === 'camera' ? camera(name) : microphone(name);
  const kind = source === 'camera' ? ('video' as const) : ('audio' as const);
  const consumer = { consumerId: received(producerId), producerId, kind, spatialLayers: 1, spatial: 0 };
  return [
    { kind: 'produced', peerId: name as PeerId, producer: { producerId, kind, source, paused: false, placement } },
    { kind: 'consumed', peerId: me, consumer: { ...consumer, started: false, paused: true, placement } },
    { kind: 'resumeConsumers', peerId: me, consumerIds: [consumer.consumerId] },
  ];
}

class Scene {
  state: RoomState;
  now = 0;
  effects: RoomEffect[] = [];

  constructor() {
    this.state = openRoom('r' as RoomId, {
      peersMax: 9,
      producersMax: 8,
      firstIsHost: true,
      voicesMax: 2,
      voicesFrom: 2,
      camerasMax: 2,
    });
    this.take(...enter('me'), ...people.flatMap(enter));
    this.take(...people.flatMap((name) => [...sendAndGet(name, 'camera'), ...sendAndGet(name, 'microphone')]));
  }

  take(...events: RoomEvent[]): void {
    for (const event of events) {
      const step = reduce(this.state, event, this.now);
      this.state = step.state;
      this.effects.push(...step.effects);
    }
  }

  says(name: string, after: number): void {
    this.now += after;
    this.take({ kind: 'heard', voices: [{ producerId: microphone(name), level: -20 }] });
  }

  /** Of whom I get this now. */
  gets(of: typeof camera): string[] {
    const consumers = this.state.peers.get(me)!.consumers;
    return people.filter((name) => consumers.get(received(of(name)))?.paused === false);
  }
}

describe('who speaks', () => {
  test('is heard and seen by everybody, instead of who was silent for longest', () => {
    const scene = new Scene();
    expect([scene.gets(microphone), scene.gets(camera)]).toEqual([
      ['ada', 'bo'],
      ['ada', 'bo'],
    ]);
    scene.says('bo', 3_000);
    scene.says('di', 100);
    expect([scene.gets(microphone), scene.gets(camera)]).toEqual([
      ['bo', 'di'],
      ['bo', 'di'],
    ]);
    scene.says('cy', 100);
    // Both places are taken by who speaks this moment; the picture does not wait.
    expect([scene.gets(microphone), scene.gets(camera)]).toEqual([
      ['bo', 'di'],
      ['cy', 'di'],
    ]);
    scene.says('cy', 2_000);
    expect(scene.gets(microphone)).toContain('cy');
  });

  test('does not take the place of whom I pinned, who is heard and seen whoever speaks', () => {
    const scene = new Scene();
    const tiles = people.map((name) => ({ producerId: camera(name), width: 300, height: 200, visible: true }));
    const pinned = tiles.map((tile) => (tile.producerId === camera('ada') ? { ...tile, pinned: true } : tile));
    const voice = { producerId: microphone('ada'), width: 0, height: 0, visible: false, pinned: true };
    scene.take({ kind: 'showTiles', peerId: me, tiles: [...pinned, voice] });
    for (const name of ['bo', 'cy', 'di']) scene.says(name, 3_000);
    expect(scene.gets(camera)).toEqual(['ada', 'di']);
    expect(scene.gets(microphone)).toContain('ada');
    scene.take({ kind: 'closeProducer', peerId: 'di' as PeerId, producerId: camera('di') });
    expect(scene.gets(camera)).toEqual(['ada', 'cy']);
  });

  test('is measured where that decides something, and not where nobody needs it any more', () => {
    const scene = new Scene();
    const listens = () => scene.effects.flatMap((effect) => (effect.kind === 'listen' ? [effect.on] : []));
    expect(listens()).toEqual([true]);
    for (const name of people) scene.take({ kind: 'leave', peerId: name as PeerId });
    expect(listens()).toEqual([true, false]);
  });

  test('costs one call a Node, not one a Peer', () => {
    const scene = new Scene();
    scene.effects = [];
    scene.says('bo', 3_000);
    scene.says('di', 100);
    const pauses = scene.effects.filter(({ kind }) => kind === 'pauseConsumers');
    expect(pauses).toHaveLength(2);
  });
});
