/**
 * What signaling counts. Labels are request names and error codes, both closed sets: never a Room, a person, an address.
 */
import type { ErrorCode, RequestName } from '@veilcast/protocol';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Seconds. From one frame to where people press reload. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.5, 3, 5, 10];

export interface Gauges {
  readonly sockets: () => number;
  readonly rooms: () => number;
  readonly peers: () => number;
}

export type SignalingMetrics = ReturnType<typeof createMetrics>;

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const collect = function (this: Gauge): void {
    this.set(read());
  };
  void new Gauge({ name: `veilcast_signaling_${name}`, help, registers: [registry], collect });
}

/** How long the line is, which is there before there are Rooms. */
export function watchLine(registry: Registry, line: { readonly length: number }): void {
  gauge(registry, 'joins_waiting', 'People in line to join.', () => line.length);
}

export function createMetrics(registry: Registry, gauges: Gauges) {
  const registers = [registry];
  gauge(registry, 'sockets', 'Open sockets.', gauges.sockets);
  gauge(registry, 'rooms', 'Rooms owned by this process.', gauges.rooms);
  gauge(registry, 'peers', 'Peers in those Rooms, waiting ones too.', gauges.peers);
  const counter = <L extends string>(name: string, help: string, labelNames: L[]): Counter<L> =>
    new Counter({ name: `veilcast_signaling_${name}_total`, help, labelNames, registers });
  const histogram = (name: string, help: string): Histogram =>
    new Histogram({ name: `veilcast_signaling_${name}_seconds`, help, buckets: SECONDS, registers });

  const requests = counter('requests', 'Requests answered, by name and outcome.', ['name', 'code']);
  const refusals = counter('refusals', 'Messages and connections refused, by code.', ['code']);
  const joins = counter('joins', 'Joins by result: admitted, waiting, or a code.', ['result']);
  const commits = counter('commits', 'MLS Commits by result: accepted or a code.', ['result']);
  const effects = counter('effects_failed', 'Acts at a Node or cascade-router that failed, by call and code.', [
    'call',
    'code',
  ]);
  const dropped = counter('dropped', 'Sockets that we closed, by code.', ['code']);
  const eventsSent = counter('events', 'Events sent to clients.', []);
  const slow = counter('slow_sockets', 'Sockets dropped because they did not read.', []);
  const leasesLost = counter('leases_lost', 'Rooms that another process took over.', []);
  const joinSeconds = histogram('join', 'From a join request to its admission.');
  const removalSeconds = histogram('removal', 'From a Peer going to the Commit that removes it from the group.');

  return {
    request: (name: RequestName | 'unknown', code: ErrorCode | 'ok') => requests.inc({ name, code }),
    refused: (code: ErrorCode) => refusals.inc({ code }),
    joined: (result: ErrorCode | 'admitted' | 'waiting') => joins.inc({ result }),
    joinTook: (ms: number) => joinSeconds.observe(ms / 1_000),
    committed: (result: ErrorCode | 'accepted') => commits.inc({ result }),
    removalTook: (ms: number) => removalSeconds.observe(ms / 1_000),
    effectFailed: (call: string, code: ErrorCode) => effects.inc({ call, code }),
    dropped: (code: ErrorCode) => dropped.inc({ code }),
    eventSent: () => eventsSent.inc(),
    slowSocket: () => slow.inc(),
    leaseLost: () => leasesLost.inc(),
  };
}
