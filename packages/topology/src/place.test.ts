import type { NodeId, PeerId, RegionId, RoomId, WorkerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NodeView, Policy, View } from './model.ts';
import { loadOf, place, STAY_LOAD_MAX, type PlaceRequest } from './place.ts';
import {
  expire,
  NO_RESERVATIONS,
  release,
  RESERVATION_MS,
  reservationOf,
  reserve,
  reservedStreams,
  settle,
  SETTLE_MS,
  withReserved,
  type Reservations,
} from './reservations.ts';
import { REGIONS } from './worlds.fixture.ts';

const policy: Policy = { fanOutMax: 8, depthMax: 4, lingerMs: 0, regions: [] };
const room = 'room' as RoomId;
const anybody: PlaceRequest = { role: 'viewer', probes: [], present: new Map(), excluded: new Set() };

function node(
  name: string,
  region: string,
  workers: Partial<{ capacity: number; streams: number; cpu: number }>[],
): NodeView {
  return {
    nodeId: name as NodeId,
    incarnation: '1',
    region: region as RegionId,
    state: 'healthy',
    workers: workers.map((worker, index) => ({
      workerId: `${name}/${index}` as WorkerId,
      nodeId: name as NodeId,
      region: region as RegionId,
      cpu: worker.cpu ?? 0,
      streams: worker.streams ?? 0,
      reserved: 0,
      capacity: worker.capacity ?? 400,
    })),
  };
}

/** A small repeatable source of randomness. */
function seeded(seed: number): { float(): number; id(prefix: string): string } {
  let state = seed;
  return {
    float() {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    },
    id: (prefix) => `${prefix}_${state}`,
  };
}

const clusters: fc.Arbitrary<View> = fc
  .array(
    fc.record({
      region: fc.constantFrom(...REGIONS),
      state: fc.constantFrom(
        'healthy' as const,
        'healthy' as const,
        'draining' as const,
        'suspect' as const,
        'gone' as const,
      ),
      workers: fc.array(
        fc.record({
          capacity: fc.integer({ min: 0, max: 120 }),
          streams: fc.integer({ min: 0, max: 60 }),
          cpu: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        { maxLength: 4 },
      ),
    }),
    { maxLength: 6 },
  )
  .map((nodes) => ({
    nodes: nodes.map((shape, i) => ({ ...node(`n${i}`, shape.region, shape.workers), state: shape.state })),
    rttMs: new Map(),
  }));

const requests = fc.record({
  role: fc.constantFrom('host' as const, 'speaker' as const, 'viewer' as const),
  probes: fc.uniqueArray(fc.record({ region: fc.constantFrom(...REGIONS), rttMs: fc.integer({ min: 0, max: 300 }) }), {
    selector: (probe) => probe.region,
  }),
  region: fc.option(fc.constantFrom(...REGIONS), { nil: undefined }),
});

describe('place', () => {
  test('goes only where it may: healthy, in the policy, in the region asked for, with room left', () => {
    fc.assert(
      fc.property(clusters, requests, fc.subarray(REGIONS), fc.nat(), (view, request, regions, seed) => {
        const placed = place(view, { ...anybody, ...request }, { ...policy, regions }, seeded(seed));
        const healthy = view.nodes
          .filter((one) => one.state === 'healthy' && (regions.length === 0 || regions.includes(one.region)))
          .filter((one) => request.region === undefined || one.region === request.region)
          .flatMap((one) => one.workers);
        if (placed.kind === 'placed') {
          const worker = healthy.find((one) => one.workerId === placed.workerId);
          expect(worker && worker.streams + worker.reserved + placed.streams <= worker.capacity).toBe(true);
        } else if (placed.code === 'NO_REGION') expect(healthy).toEqual([]);
        else {
          expect(healthy.length).toBeGreaterThan(0);
          for (const worker of healthy)
            expect(worker.streams + worker.reserved + 8).toBeGreaterThan(worker.capacity - 5);
        }
      }),
    );
  });

  test('takes the nearest measured region that has room', () => {
    fc.assert(
      fc.property(clusters, requests, fc.nat(), (view, request, seed) => {
        fc.pre(request.region === undefined);
        const placed = place(view, { ...anybody, ...request }, policy, seeded(seed));
        fc.pre(placed.kind === 'placed');
        if (placed.kind !== 'placed') return;
        const rtt = new Map(request.probes.map((probe) => [probe.region, probe.rttMs]));
        const taken = rtt.get(placed.region) ?? Number.POSITIVE_INFINITY;
        for (const one of view.nodes.filter((each) => each.state === 'healthy')) {
          if ((rtt.get(one.region) ?? Number.POSITIVE_INFINITY) >= taken) continue;
          for (const worker of one.workers) expect(worker.streams + placed.streams).toBeGreaterThan(worker.capacity);
        }
      }),
    );
  });

  test('stays where the Room is in that region, until that Worker is half full', () => {
    const view: View = { nodes: [node('a', 'eu', [{}, {}, {}, {}]), node('b', 'us', [{}])], rttMs: new Map() };
    const probes = [
      { region: 'eu' as RegionId, rttMs: 10 },
      { region: 'us' as RegionId, rttMs: 90 },
    ];
    const present = new Map(['a/2', 'b/0'].map((id) => [id as WorkerId, 1]));
    for (let seed = 0; seed < 50; seed += 1) {
      expect(place(view, { ...anybody, probes, present }, policy, seeded(seed))).toMatchObject({ workerId: 'a/2' });
    }
    const busy: View = { ...view, nodes: [node('a', 'eu', [{}, {}, { cpu: STAY_LOAD_MAX }, {}])] };
    const elsewhere = Array.from({ length: 50 }, (_, seed) =>
      place(busy, { ...anybody, probes, present }, policy, seeded(seed)),
    );
    expect(elsewhere.some((one) => one.kind === 'placed' && one.workerId !== 'a/2')).toBe(true);
  });

  test('without probes stays in the regions of the Room, and with probes elsewhere uses what regions measured', () => {
    const view: View = {
      nodes: [node('a', 'eu', [{}]), node('b', 'us', [{}]), node('c', 'ap', [{}])],
      rttMs: new Map([
        ['eu>us', 80],
        ['ap>eu', 200],
      ]),
    };
    for (let seed = 0; seed < 20; seed += 1) {
      const stay = place(view, { ...anybody, present: new Map([['b/0' as WorkerId, 1]]) }, policy, seeded(seed));
      expect(stay).toMatchObject({ region: 'us' });
      const near = place(
        view,
        { ...anybody, probes: [{ region: 'eu' as RegionId, rttMs: 5 }], excluded: new Set(['a/0' as WorkerId]) },
        policy,
        seeded(seed),
      );
      expect(near).toMatchObject({ region: 'us' });
    }
  });

  test('a crowd of 200 in a row spreads, and never exceeds capacity', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), fc.boolean(), fc.nat(), (workers, sameRoom, seed) => {
        const random = seeded(seed);
        const capacity = Math.ceil((200 * 4 * 1.3) / workers);
        const view: View = {
          nodes: [
            node(
              'a',
              'eu',
              Array.from({ length: workers }, () => ({ capacity })),
            ),
          ],
          rttMs: new Map(),
        };
        let reservations: Reservations = NO_RESERVATIONS;
        const present = new Map<WorkerId, number>();
        for (let i = 0; i < 200; i += 1) {
          const seen = withReserved(view, reservations, 0);
          const placed = place(seen, { ...anybody, present: sameRoom ? present : new Map() }, policy, random);
          expect(placed.kind).toBe('placed');
          if (placed.kind !== 'placed') return;
          present.set(placed.workerId, (present.get(placed.workerId) ?? 0) + 1);
          const { workerId, streams } = placed;
          reservations = reserve(reservations, { roomId: room, peerId: `p${i}` as PeerId, workerId, streams }, 0);
        }
        const loads = withReserved(view, reservations, 0).nodes.flatMap((one) => one.workers.map(loadOf));
        expect(Math.max(...loads)).toBeLessThanOrEqual(1);
        expect(Math.min(...loads)).toBeGreaterThanOrEqual(0.5);
      }),
      { numRuns: 30 },
    );
  });

  test('a large Room takes one core of a host after the other, then the next host, and no core more than its share', () => {
    const cores = [{}, {}, {}].map(() => ({ capacity: 10_000 }));
    const view: View = { nodes: [node('a', 'eu', cores), node('b', 'eu', cores)], rttMs: new Map() };
    const present = new Map<WorkerId, number>();
    const hosts: string[] = [];
    for (let i = 0; i < 300; i += 1) {
      const placed = place(view, { ...anybody, present }, { ...policy, roomPeersMax: 50 }, seeded(i));
      if (placed.kind !== 'placed') throw new Error('refused');
      present.set(placed.workerId, (present.get(placed.workerId) ?? 0) + 1);
      if (hosts.at(-1) !== placed.nodeId) hosts.push(placed.nodeId);
    }
    expect([...present.values()]).toEqual([50, 50, 50, 50, 50, 50]);
    expect(hosts).toHaveLength(2);
    // Beyond what all cores bear it is still let in.
    expect(place(view, { ...anybody, present }, { ...policy, roomPeersMax: 50 }, seeded(1)).kind).toBe('placed');
  });

  test('a full cluster says so', () => {
    const view: View = { nodes: [node('a', 'eu', [{ capacity: 3 }])], rttMs: new Map() };
    expect(place(view, anybody, policy, seeded(1))).toEqual({ kind: 'refused', code: 'CLUSTER_FULL' });
    expect(place({ ...view, nodes: [] }, anybody, policy, seeded(1))).toEqual({ kind: 'refused', code: 'NO_REGION' });
  });
});

describe('reservations', () => {
  const peer = 'peer' as PeerId;
  const worker = 'a/0' as WorkerId;
  const one = reserve(NO_RESERVATIONS, { roomId: room, peerId: peer, workerId: worker, streams: 4 }, 1000);

  test('count until they run out', () => {
    expect(reservedStreams(one, 1000 + RESERVATION_MS - 1).get(worker)).toBe(4);
    expect(reservedStreams(one, 1000 + RESERVATION_MS).get(worker)).toBeUndefined();
    expect(reservationOf(one, room, peer, 1000 + RESERVATION_MS)).toBeUndefined();
    expect(expire(one, 1000 + RESERVATION_MS).size).toBe(0);
    expect(expire(one, 1001)).toBe(one);
  });

  test('fall soon after their Peer has arrived, at once when given back, and count a Peer once', () => {
    const arrived = settle(one, room, [peer, 'other' as PeerId], 2000);
    expect(reservedStreams(arrived, 2000 + SETTLE_MS - 1).get(worker)).toBe(4);
    expect(reservedStreams(arrived, 2000 + SETTLE_MS).get(worker)).toBeUndefined();
    expect(settle(arrived, room, [peer], 3000)).toEqual(arrived);
    expect(release(one, room, peer).size).toBe(0);
    const moved = reserve(one, { roomId: room, peerId: peer, workerId: 'a/1' as WorkerId, streams: 4 }, 1500);
    expect(reservedStreams(moved, 1500)).toEqual(new Map([['a/1', 4]]));
  });
});
