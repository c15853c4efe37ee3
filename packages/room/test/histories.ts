/**
 * Random histories of a Room, in and out of order, from people and from Nodes that do as they like; and how to hold a law
 * against every step of them.
 */
import * as fc from 'fast-check';
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
import { openRoom, reduce, type Placement, type RoomEvent, type RoomState, type Step } from '../src/index.ts';

/** Histories a law. More: slower. Fewer: what happens rarely is met rarely. */
const RUNS = 100;
const PEERS = ['a', 'b', 'c', 'd', 'e', 'f'] as PeerId[];
const PRODUCERS = ['p1', 'p2', 'p3', 'p4', 'p5'] as ProducerId[];
const CONSUMERS = ['k1', 'k2', 'k3', 'k4', 'k5'] as ConsumerId[];
const PLACES: Placement[] = [0, 1, 2].map((n) => ({
  nodeId: `n${n}` as NodeId,
  workerId: `n${n}/0` as WorkerId,
  region: 'eu' as RegionId,
}));

const peer = fc.constantFrom(...PEERS);
const producer = fc.constantFrom(...PRODUCERS);
const consumer = fc.constantFrom(...CONSUMERS);
const role = fc.constantFrom('host' as const, 'speaker' as const, 'viewer' as const);
const source = fc.constantFrom('microphone' as const, 'camera' as const, 'screen' as const);

const event: fc.Arbitrary<RoomEvent> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('arrive' as const),
      peerId: peer,
      participantId: fc.constantFrom(...(['x', 'y', 'z'] as ParticipantId[])),
      role,
    }),
  },
  {
    weight: 9,
    arbitrary: fc.record({ kind: fc.constant('placed' as const), peerId: peer, placement: fc.constantFrom(...PLACES) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('knock' as const), peerId: peer, name: fc.constantFrom('Ada', 'Bo') }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('admit' as const, 'deny' as const, 'kick' as const),
      peerId: peer,
      target: peer,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('setLocked' as const),
      peerId: peer,
      locked: fc.constantFrom(true, true, false),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('move' as const), peerId: peer, placement: fc.constantFrom(...PLACES) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('moved' as const, 'moved' as const, 'moveOver' as const),
      peerId: peer,
    }),
  },
  fc.record({ kind: fc.constant('leave' as const), peerId: peer }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('displaced' as const), peerId: peer }) },
  fc.record({
    kind: fc.constant('lost' as const),
    peerId: peer,
    code: fc.constantFrom('DISCONNECTED' as const, 'WORKER_DIED' as const),
  }),
  {
    weight: 8,
    arbitrary: fc
      .record({
        peerId: peer,
        producerId: producer,
        source,
        paused: fc.boolean(),
        placement: fc.constantFrom(...PLACES),
      })
      .map(({ peerId, ...it }): RoomEvent => ({
        kind: 'produced',
        peerId,
        producer: { ...it, kind: it.source === 'microphone' ? 'audio' : 'video' },
      })),
  },
  fc.record({ kind: fc.constant('closeProducer' as const), peerId: peer, producerId: producer }),
  fc.record({
    kind: fc.constant('pauseProducer' as const),
    peerId: peer,
    producerId: producer,
    paused: fc.boolean(),
  }),
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('consume' as const),
      peerId: peer,
      producerIds: fc.array(producer, { maxLength: 4 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc
      .record({
        peerId: peer,
        consumerId: consumer,
        producerId: producer,
        spatialLayers: fc.constantFrom(1, 3, -1, NaN),
        placement: fc.constantFrom(...PLACES),
      })
      .map(({ peerId, ...it }): RoomEvent => ({
        kind: 'consumed',
        peerId,
        consumer: { ...it, kind: 'video', started: false, paused: true, spatial: it.spatialLayers === 3 ? 2 : 0 },
      })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('consumeFailed' as const), peerId: peer, producerId: producer }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('resumeConsumers' as const, 'resumeConsumers' as const, 'closeConsumers' as const),
      peerId: peer,
      consumerIds: fc.array(consumer, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('consumerGone' as const), peerId: peer, consumerId: consumer }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('showTiles' as const),
      peerId: peer,
      tiles: fc.array(
        fc.record({
          producerId: producer,
          width: fc.constantFrom(0, 200, 700, 1600),
          height: fc.constantFrom(0, 400),
          visible: fc.boolean(),
          pinned: fc.constantFrom(undefined, true),
        }),
        { maxLength: 4 },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('heard' as const),
      voices: fc.array(fc.record({ producerId: producer, level: fc.integer({ min: -60, max: 0 }) }), { maxLength: 3 }),
    }),
  },
);

const policy = fc.record({
  peersMax: fc.constantFrom(2, 4, 100),
  producersMax: fc.constantFrom(1, 8),
  firstIsHost: fc.boolean(),
  voicesMax: fc.constantFrom(1, 3),
  voicesFrom: fc.constantFrom(1, 8),
  camerasMax: fc.constantFrom(1, 25),
});

export interface Taken {
  readonly before: RoomState;
  readonly event: RoomEvent;
  readonly step: Step;
}

/** Turns an event that would probably be refused into one that probably is not. */
function aimed(state: RoomState, event: RoomEvent, by: number): RoomEvent {
  const pick = <T>(all: readonly T[]): T | undefined => all[by % Math.max(1, all.length)];
  const peers = [...state.peers.values()];
  const joined = peers.filter((one) => one.status === 'joined');
  const host = joined.find((one) => one.role === 'host')?.peerId ?? event.peerId;
  const waiting = pick(peers.filter((one) => one.status === 'waiting'));
  const someone = pick(joined);
  const living = joined.flatMap((one) => (one === someone ? [] : [...one.producers.keys()]));
  const peerId = someone?.peerId ?? event.peerId;
  switch (event.kind) {
    case 'placed':
      return {
        ...event,
        peerId: pick(peers.filter((one) => one.status === 'placing' || one.displaced))?.peerId ?? event.peerId,
      };
    case 'displaced':
    case 'knock':
      return { ...event, peerId: waiting?.peerId ?? event.peerId };
    case 'admit':
    case 'deny':
      return { ...event, peerId: host, target: waiting?.peerId ?? event.target };
    case 'kick':
      return { ...event, peerId: host, target: pick(peers)?.peerId ?? event.target };
    case 'setLocked':
      return { ...event, peerId: host };
    case 'closeProducer':
    case 'pauseProducer':
      return { ...event, peerId, producerId: pick([...(someone?.producers.keys() ?? [])]) ?? event.producerId };
    case 'consume':
      return { ...event, peerId, producerIds: living.length > 0 ? living : event.producerIds };
    case 'consumed':
      return {
        ...event,
        peerId,
        consumer: {
          ...event.consumer,
          producerId: pick(living) ?? event.consumer.producerId,
          placement: someone?.placement ?? event.consumer.placement,
        },
      };
    case 'consumeFailed':
      return { ...event, peerId, producerId: pick([...(someone?.asked ?? [])]) ?? event.producerId };
    case 'resumeConsumers':
    case 'closeConsumers':
      return { ...event, peerId, consumerIds: [...(someone?.consumers.keys() ?? event.consumerIds)] };
    case 'consumerGone':
      return { ...event, peerId, consumerId: pick([...(someone?.consumers.keys() ?? [])]) ?? event.consumerId };
    case 'produced': {
      const speaker = pick(joined.filter((one) => one.role !== 'viewer'));
      const placement = speaker?.placement ?? event.producer.placement;
      return { ...event, peerId: speaker?.peerId ?? event.peerId, producer: { ...event.producer, placement } };
    }
    case 'move':
      return { ...event, peerId };
    case 'moved':
    case 'moveOver':
      return { ...event, peerId: joined.find((one) => one.former)?.peerId ?? event.peerId };
    case 'showTiles':
      return { ...event, peerId };
    default:
      return event;
  }
}

/** Consumer ids are a Node's and never the same for two Peers. */
function ownIds(event: RoomEvent): RoomEvent {
  if (event.kind !== 'consumed') return event;
  const consumerId = `${event.peerId}-${event.consumer.consumerId}` as ConsumerId;
  return { ...event, consumer: { ...event.consumer, consumerId } };
}

const act = fc.record({ event, by: fc.nat(9), aim: fc.integer({ min: 0, max: 9 }) });
const history = fc.array(act, { minLength: 60, maxLength: 160, size: 'max' });

/** Runs a history, at whose end everybody leaves, and hands every step to the law. */
export function everyStep(law: (taken: Taken) => void): void {
  fc.assert(
    fc.property(policy, history, (given, acts) => {
      let state = openRoom('r' as RoomId, given);
      const take = (event: RoomEvent) => {
        const step = reduce(state, event, 0);
        law({ before: state, event, step });
        state = step.state;
      };
      for (const one of acts) take(ownIds(one.aim > 1 ? aimed(state, one.event, one.by) : one.event));
      for (const peerId of PEERS) take({ kind: 'leave', peerId });
    }),
    { numRuns: RUNS },
  );
}
