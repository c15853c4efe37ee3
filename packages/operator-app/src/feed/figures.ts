/** The figures of a picture that have a past, and how much of it is kept. Pure. */
import type { NodePicture, Picture } from '@veilcast/protocol';

/** Five minutes at a picture a second: a trend that a person still remembers. */
export const PAST_MAX = 300;

export interface Moment {
  readonly at: number;
  readonly people: number;
  readonly rooms: number;
  readonly packetsPerSecond: number;
  readonly bitsPerSecond: number;
  /** Of the busiest worker, 0 to 1. */
  readonly busiest: number;
  /** Of the slowest Pipe; null while none has been measured. */
  readonly slowestMs: number | null;
  /** Of the worst Pipe, 0 to 1. */
  readonly worstLoss: number;
}

export type Figure = Exclude<keyof Moment, 'at'>;

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((total, one) => total + of(one), 0);
}

function highest(all: readonly number[]): number {
  return all.reduce((most, one) => Math.max(most, one), 0);
}

export function figuresOf(picture: Picture): Moment {
  const measured = picture.pipes.flatMap(({ rttMs }) => rttMs ?? []);
  return {
    at: picture.at,
    people: sum(picture.rooms, ({ peers }) => peers),
    rooms: picture.rooms.length,
    packetsPerSecond: sum(picture.pipes, (pipe) => pipe.packetsPerSecond),
    bitsPerSecond: sum(picture.pipes, (pipe) => pipe.bitsPerSecond),
    busiest: highest(picture.nodes.flatMap(({ workers }) => workers.map(({ cpu }) => cpu))),
    slowestMs: measured.length === 0 ? null : highest(measured),
    worstLoss: highest(picture.pipes.map(({ lossRatio }) => lossRatio)),
  };
}

/** The past with one more moment, at most PAST_MAX; a cluster whose clock went back starts anew. */
export function remember(past: readonly Moment[], now: Moment): readonly Moment[] {
  const last = past.at(-1);
  if (last && now.at < last.at) return [now];
  if (last && now.at === last.at) return past;
  return [...past.slice(-(PAST_MAX - 1)), now];
}

/** The busiest worker's share of a core. */
export function loadOf(node: NodePicture): number {
  return highest(node.workers.map(({ cpu }) => cpu));
}

/** Above these, a person should look. Packets lost: 2 % is where faces begin to tear. */
const LOSS_MAX = 0.02;
/** A core busier than this has no room for a key frame to everybody. */
const CPU_MAX = 0.8;

export interface Concern {
  readonly kind: 'node' | 'cpu' | 'loss' | 'signaling' | 'people';
  readonly id: string;
  readonly value: string;
}

/** What is outside its normal range, worst kind first. */
export function concernsOf(picture: Picture): readonly Concern[] {
  return [
    ...picture.nodes
      .filter(({ state }) => state !== 'healthy')
      .map(({ nodeId, state }): Concern => ({ kind: 'node', id: nodeId, value: state })),
    ...(picture.signaling.length === 0 ? [{ kind: 'signaling', id: '', value: '' } as const] : []),
    ...picture.nodes.flatMap((node) =>
      node.workers
        .filter(({ cpu }) => cpu > CPU_MAX)
        .map(({ workerId, cpu }): Concern => ({ kind: 'cpu', id: workerId, value: `${Math.round(cpu * 100)} %` })),
    ),
    ...picture.pipes
      .filter(({ lossRatio }) => lossRatio > LOSS_MAX)
      .map(({ pipeId, lossRatio }): Concern => ({
        kind: 'loss',
        id: pipeId,
        value: `${(lossRatio * 100).toFixed(1)} %`,
      })),
    ...picture.rooms
      .filter(({ members, peers }) => members !== peers)
      .map(({ roomId, members, peers }): Concern => ({ kind: 'people', id: roomId, value: `${members} of ${peers}` })),
  ];
}
