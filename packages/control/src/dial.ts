/** Channels over a Carrier: one that is dialled, and those that are accepted at an address. */
import { ClusterError } from '@veilcast/protocol';
import type { Carrier } from './carrier.ts';
import type { Channel } from './channel.ts';
import { openChannel, type ChannelOptions, type Speaker } from './open-channel.ts';

/**
 * Dials and says Hello.
 * @throws ClusterError NODE_UNREACHABLE, STALE_INCARNATION (somebody else than `expect` answered), and those of openChannel
 */
export async function connectChannel(
  options: ChannelOptions & {
    readonly carrier: Carrier;
    readonly address: string;
    readonly expect?: Partial<Speaker> | undefined;
  },
): Promise<Channel> {
  const link = await options.carrier.dial(options.address);
  const channel = await openChannel({ ...options, link });
  const { expect = {} } = options;
  for (const field of ['kind', 'processId', 'incarnation', 'region'] as const) {
    const said = channel.remote[field];
    // Where nothing is proved a process need not say where it stands.
    if (expect[field] === undefined || expect[field] === said || said === undefined) continue;
    channel.close();
    throw new ClusterError('STALE_INCARNATION', `another ${field} answered`);
  }
  return channel;
}

export interface Accepting {
  /** Those that are open now. */
  channels(): readonly Channel[];
  /** Accepts no more and closes what is open. */
  close(): Promise<void>;
}

/** More: more strangers can hold memory. Fewer: a big cluster does not fit. */
const CHANNELS_MAX = 1024;

/** Listens at an address; `onChannel` is told of each that has said Hello, before any of its frames is served. */
export async function acceptChannels(
  options: ChannelOptions & {
    readonly carrier: Carrier;
    readonly address: string;
    readonly onChannel?: ((channel: Channel) => void) | undefined;
    readonly maxChannels?: number | undefined;
  },
): Promise<Accepting> {
  const open = new Set<Channel>();
  let greeting = 0;
  let closed = false;
  const listening = await options.carrier.listen(options.address, (link) => {
    if (closed || open.size + greeting >= (options.maxChannels ?? CHANNELS_MAX)) return link.close();
    greeting += 1;
    let greeted = false;
    const onOpen = (channel: Channel): void => {
      greeted = true;
      greeting -= 1;
      if (closed) return channel.close();
      open.add(channel);
      channel.onClose(() => open.delete(channel));
      options.onChannel?.(channel);
    };
    openChannel({ ...options, link, onOpen }).catch((error: unknown) => {
      if (!greeted) greeting -= 1;
      options.report?.(error);
    });
  });
  return {
    channels: () => [...open],
    close: async () => {
      closed = true;
      for (const channel of open) channel.close();
      await listening.close();
    },
  };
}
