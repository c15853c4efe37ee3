/**
 * A cascade-router: the fleet, the Rooms that it plans, and what signaling asks, put together. Lives as long as its
 * process; when it goes, calls go on, and another takes its Leases.
 */
import { acceptChannels, TermMemory, type Accepting, type Channel } from '@veilcast/control';
import { register, type Service, type ServiceContext } from '@veilcast/node-kit';
import { workersOf } from '@veilcast/topology';
import { CascadeConfig, type CascadeConfigInput } from './config.ts';
import { Fleet } from './fleet.ts';
import { cascadeMetrics } from './metrics.ts';
import { paint } from './picture.ts';
import { Placements } from './placements.ts';
import { Rooms } from './rooms.ts';
import { serveCascade } from './serve.ts';

/** A running cascade-router. */
export interface CascadeRouter extends Service {
  readonly address: string;
}

export interface CascadeRouterOptions {
  readonly config: CascadeConfigInput;
  readonly context: ServiceContext;
}

/** Starts, registers and serves. @throws ZodError for a bad config, ClusterError if the address cannot be had */
export async function startCascadeRouter(options: CascadeRouterOptions): Promise<CascadeRouter> {
  const { context } = options;
  const config = CascadeConfig.parse(options.config);
  const incarnation = context.random.id('inc');
  let accepting: Accepting | undefined;
  const { fleet, rooms, placements } = assemble(config, context, incarnation, () => accepting?.channels() ?? []);
  let closing: Promise<void> | undefined;
  const undo: (() => Promise<void>)[] = [() => rooms.close(), async () => fleet.close()];
  const close = async (): Promise<void> => {
    for (const step of undo) await step().catch((err: unknown) => context.log.warn({ err }, 'close'));
  };
  try {
    const listening = await acceptChannels({
      carrier: context.carrier,
      address: config.address,
      clock: context.clock,
      hello: { kind: 'cascade-router', processId: config.processId, incarnation },
      serve: serveCascade({
        rooms,
        placements,
        terms: new TermMemory(),
        clock: context.clock,
        silentMs: fleet.silentMs.bind(fleet),
        picture: () => paint(fleet, placements.view(), rooms.list()),
      }),
      report: (err) => context.log.warn({ err }, 'channel from signaling'),
    });
    accepting = listening;
    undo.unshift(() => listening.close());
    const { processId, address } = config;
    const registered = await register(context, { kind: 'cascade-router', processId, incarnation, address });
    undo.unshift(() => registered.close());
  } catch (error) {
    await close();
    throw error;
  }
  return {
    address: config.address,
    ready: () => closing === undefined && fleet.nodes().some((node) => node.state === 'healthy'),
    close: () => (closing ??= close()),
  };
}

/** The parts, told of each other. */
function assemble(
  config: CascadeConfig,
  context: ServiceContext,
  incarnation: string,
  witnesses: () => readonly Channel[],
) {
  const fleet = new Fleet({
    config,
    context,
    incarnation,
    witnesses,
    listener: {
      topology: () => {
        for (const room of rooms.list()) room.replan();
      },
      rooms: (roomIds) => {
        for (const roomId of roomIds) rooms.find(roomId)?.reconcile();
      },
    },
  });
  const metrics = cascadeMetrics(context.metrics, {
    rooms: () => rooms.list().length,
    pipes: () => rooms.list().reduce((sum, room) => sum + openPipes(fleet, room.roomId), 0),
  });
  const placements = new Placements({ config, metrics, context, view: () => fleet.view() });
  const isAwaited = placements.isAwaited.bind(placements);
  const rooms: Rooms = new Rooms({ config, incarnation, fleet, metrics, context, isAwaited });
  return { fleet, rooms, placements };
}

/** A Pipe is open when both its ends are joined. */
function openPipes(fleet: Fleet, roomId: Parameters<Fleet['observe']>[0]): number {
  const joined = fleet.observe(roomId).ends.filter((end) => end.connected);
  const down = new Set(joined.map((end) => `${end.pipeId} ${end.workerId}`));
  return joined.filter((end) => {
    const pipe = workersOf(end.pipeId);
    return pipe?.from === end.workerId && down.has(`${end.pipeId} ${pipe.to}`);
  }).length;
}
