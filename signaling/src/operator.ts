/**
 * The operator page's namespace: one Picture a second, made only while somebody watches. The cascade-router knows Nodes
 * and Pipes, this process its Rooms and sockets; the Picture is both.
 */
import { readJson, type Channel } from '@veilcast/control';
import {
  CascadePicture,
  ClusterError,
  DrainNode,
  OPERATOR_NAMESPACE,
  parseWith,
  type Answer,
  type Clock,
  type NodePicture,
  type Picture,
  type RoomPicture,
} from '@veilcast/protocol';
import type { Server } from 'socket.io';

const EVERY_MS = 1_000;
/** Watchers of one process. More: each costs a Picture a second. */
const WATCHERS_MAX = 50;

/** What a Room says of itself. */
type RoomSketch = Pick<RoomPicture, 'roomId' | 'term' | 'peers' | 'waiting' | 'epoch' | 'members' | 'locked'>;

export interface OperatorOptions {
  readonly clock: Clock;
  readonly cluster: string;
  /** Whether whoever connects from here may watch: until there are operator accounts, in development only. */
  readonly mayWatch: (request: Parameters<Parameters<Server['of']>[1] & object>[0]['request']) => boolean;
  readonly cascadeRouters: () => readonly Channel[];
  readonly node: (nodeId: string) => Channel | undefined;
  readonly rooms: () => readonly RoomSketch[];
  readonly signaling: () => Picture['signaling'][number];
  readonly ready: () => boolean;
}

export function openOperator(io: Server, options: OperatorOptions): { close(): void } {
  const { clock } = options;
  const watchers = io.of(OPERATOR_NAMESPACE);
  let stop: (() => void) | undefined;
  let busy = false;
  const show = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      watchers.volatile.emit('picture', await paint(options));
    } finally {
      busy = false;
    }
  };
  watchers.use((socket, next) => {
    // A connection that is a client's already has no request any more, and is nobody's who operates.
    const request = socket.request as typeof socket.request | undefined;
    if (request === undefined || !options.mayWatch(request)) return next(refusal('UNAUTHORIZED'));
    if (watchers.sockets.size >= WATCHERS_MAX) return next(refusal('OVERLOADED'));
    next();
  });
  watchers.on('connection', (socket) => {
    stop ??= clock.every(EVERY_MS, () => void show());
    void show();
    socket.on('drain', (raw: unknown, reply: unknown) => {
      void drain(options, raw).then((answer) => typeof reply === 'function' && reply(answer));
    });
    socket.once('disconnect', () => {
      if (watchers.sockets.size > 0) return;
      stop?.();
      stop = undefined;
    });
  });
  return { close: () => stop?.() };
}

/** Never throws: a page gets an answer, whatever it asks. */
async function drain({ node }: OperatorOptions, raw: unknown): Promise<Answer> {
  try {
    const channel = node(parseWith(DrainNode, raw).nodeId);
    if (!channel) throw new ClusterError('NODE_UNREACHABLE');
    await channel.request('drain', {});
    return { ok: true, result: {} };
  } catch (thrown) {
    return { ok: false, error: ClusterError.of(thrown).toWire() };
  }
}

/** The error that socket.io shows to a client that it does not let in: the code in `data`. */
export function refusal(code: ClusterError['code']): Error {
  return Object.assign(new Error(code), { data: new ClusterError(code).toWire() });
}

async function paint(options: OperatorOptions): Promise<Picture> {
  const asked = options.cascadeRouters().map(async (channel) => {
    const { picture } = await channel.request('getPicture', {}, { deadlineMs: EVERY_MS });
    return readJson(picture, CascadePicture);
  });
  const known = (await Promise.allSettled(asked)).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const nodes = new Map<string, NodePicture>();
  for (const node of known.flatMap((picture) => picture.nodes)) nodes.set(node.nodeId, node);
  const pipes = new Map(
    known.flatMap((picture) => picture.pipes).map((pipe) => [`${pipe.roomId} ${pipe.pipeId}`, pipe]),
  );
  return {
    at: Math.trunc(options.clock.now()),
    cluster: options.cluster,
    state: stateOf(options.ready(), [...nodes.values()], known.length === asked.length),
    nodes: [...nodes.values()],
    rooms: merged(options.rooms(), known),
    pipes: [...pipes.values()],
    signaling: [options.signaling()],
  };
}

function stateOf(ready: boolean, nodes: readonly NodePicture[], complete: boolean): Picture['state'] {
  if (!ready) return 'down';
  return complete && nodes.every((node) => node.state === 'healthy') ? 'ready' : 'degraded';
}

/** Rooms by what both sides know of them; one that only a cascade-router knows belongs to another signaling process. */
function merged(own: readonly RoomSketch[], known: readonly CascadePicture[]): RoomPicture[] {
  const planned = new Map(known.flatMap((picture) => picture.rooms).map((room) => [room.roomId, room]));
  const rooms = own.map((room): RoomPicture => {
    const plan = planned.get(room.roomId);
    planned.delete(room.roomId);
    return { planTerm: 0, regions: [], routers: [], plan: [], ...plan, ...room };
  });
  const unknown = { term: 0, peers: 0, waiting: 0, epoch: 0, members: 0, locked: false };
  return [...rooms, ...[...planned.values()].map((plan): RoomPicture => ({ ...unknown, ...plan }))];
}
