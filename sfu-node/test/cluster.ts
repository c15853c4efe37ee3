/** Nodes with real workers in this process, and the two kinds of process that command them, over a memory Carrier. */
import {
  connectChannel,
  memoryHub,
  type Authority,
  type BodyInit,
  type CallName,
  type CallResult,
  type Channel,
  type EventKind,
} from '@veilcast/control';
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import { createLogger, systemClock, systemRandom, type ServiceContext } from '@veilcast/node-kit';
import type { Clock } from '@veilcast/protocol';
import { createWorker, type types } from 'mediasoup';
import { Registry } from 'prom-client';
import { mediasoupProcess, startSfuNode, type NodeConfigInput, type SfuNode } from '@veilcast/sfu-node';

export const ROOM = 'demo';

/** The clock of the machine, which a test may push forward. */
export interface PushedClock extends Clock {
  push(ms: number): void;
}

export interface Running {
  readonly node: SfuNode;
  /** The mediasoup workers that it started, the dead ones too. */
  readonly workers: types.Worker[];
  /** How it is written in calls: `<node>/0`. */
  readonly workerId: string;
  readonly metrics: Registry;
}

export interface Commander {
  readonly channel: Channel;
  readonly events: EventKind[];
  term: number;
  call<N extends CallName>(name: N, body: BodyInit<N>, deadlineMs?: number): Promise<CallResult<N>>;
  /** The next event, or one already there, that fits. */
  event<K extends EventKind['case']>(
    kind: K,
    fits?: (value: Extract<EventKind, { case: K }>['value']) => boolean,
  ): Promise<Extract<EventKind, { case: K }>['value']>;
}

export interface Cluster {
  readonly store: ReturnType<typeof memoryCoordination>;
  readonly clock: PushedClock;
  node(nodeId: string, change?: Partial<NodeConfigInput>): Promise<Running>;
  process(kind: 'signaling' | 'cascade-router', nodeId: string, processId?: string): Promise<Commander>;
  close(): Promise<void>;
}

/** A cluster without any process in it yet. */
export function cluster(): Cluster {
  const hub = memoryHub();
  let pushed = 0;
  const clock: PushedClock = {
    ...systemClock,
    now: () => systemClock.now() + pushed,
    push: (ms) => {
      pushed += ms;
    },
  };
  const store = memoryCoordination(new MemoryStore(systemClock));
  const opened: { close(): unknown }[] = [];
  return {
    store,
    clock,
    node: async (nodeId, change = {}) => {
      const workers: types.Worker[] = [];
      let asked = 0;
      const metrics = new Registry();
      const context: ServiceContext = {
        carrier: hub.carrier(nodeId),
        coordination: store,
        clock,
        random: systemRandom,
        log: createLogger({ service: 'sfu-node', level: 'silent' }),
        metrics,
      };
      const node = await startSfuNode({
        config: { ...configOf(nodeId), ...change },
        context,
        workerProcess: mediasoupProcess,
        createWorker: async () => {
          // In the order in which they were asked for, which is that of their ids, not in that of their coming.
          const index = asked++;
          return (workers[index] = await createWorker({ logLevel: 'none' }));
        },
      });
      opened.push(node);
      return { node, workers, workerId: `${nodeId}/0`, metrics };
    },
    process: async (kind, nodeId, processId = kind) => {
      const channel = await connectChannel({
        carrier: hub.carrier(processId),
        address: `memory:${nodeId}`,
        hello: { kind, processId, incarnation: 'inc_1' },
        clock: systemClock,
        serve: () => Promise.reject(new Error('nothing is served here')),
      });
      opened.push(channel);
      return commander(channel);
    },
    close: async () => {
      for (const one of opened.toReversed()) await one.close();
      await store.close();
    },
  };
}

function configOf(nodeId: string): NodeConfigInput {
  return {
    nodeId,
    region: nodeId.split('-')[0]!,
    address: `memory:${nodeId}`,
    media: { ip: '127.0.0.1', pipePorts: { min: 21_500, max: 21_999 } },
  };
}

function commander(channel: Channel): Commander {
  const events: EventKind[] = [];
  channel.onEvent((event) => {
    events.push(event);
    if (events.length > 1_000) events.shift();
  });
  const self: Commander = {
    channel,
    events,
    term: 1,
    call: (name, body, deadlineMs) => {
      const authority: Authority = { roomId: ROOM, term: self.term };
      return channel.request(name, body, deadlineMs === undefined ? { authority } : { authority, deadlineMs });
    },
    event: async (kind, fits = () => true) => {
      const find = () => events.find((event) => event.case === kind && fits(event.value as never));
      await until(() => find() !== undefined, kind);
      return find()!.value as never;
    },
  };
  return self;
}

/** Waits until it holds, looking often. */
export async function until(holds: () => boolean | Promise<boolean>, what = 'it', ms = 10_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Nothing more than this time passes. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** What the caller is told: the code of the refusal. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'not refused';
}

/** One end of a Pipe-to-be. */
export interface Side {
  readonly planner: Commander;
  readonly workerId: string;
}

/** Joins two Workers by a Pipe, upstream to downstream, as a cascade-router does. */
export async function join(up: Side, down: Side, pipeId = `${up.workerId}>${down.workerId}`): Promise<string> {
  const [a, b] = await Promise.all(
    [up, down].map(({ planner, workerId }) => planner.call('preparePipe', { pipeId, workerId })),
  );
  const remote = (end: typeof a) => ({ pipeId, ip: end!.ip, port: end!.port, srtpParameters: end!.srtpParameters });
  await Promise.all([
    up.planner.call('connectPipe', { ...remote(b), workerId: up.workerId }),
    down.planner.call('connectPipe', { ...remote(a), workerId: down.workerId }),
  ]);
  return pipeId;
}

/** Carries a Producer over a Pipe, as a cascade-router does. */
export async function carry(up: Side, down: Side, pipeId: string, producerId: string): Promise<string[]> {
  const from = { pipeId, producerId, workerId: up.workerId };
  const { kind, rtpParameters, paused, path } = await up.planner.call('sendOnPipe', from);
  const to = { pipeId, producerId, workerId: down.workerId };
  await down.planner.call('receiveOnPipe', { ...to, kind, rtpParameters, paused, path });
  return path;
}
