/**
 * The Bus over sharded publish and subscribe: a topic is served by the master of its slot alone. Nothing is kept for who is not
 * there; streams would be, at the price of a blocking connection and a queue a reader (ADR 0022).
 */
import { ClusterError } from '@veilcast/protocol';
import type { Bus } from '../ports.ts';
import type { Link } from './link.ts';
import type { Keys } from './keys.ts';
import type { Listening } from './view.ts';

/** Longest message. A hint needs no more; longer ones fill the server's buffers for slow readers. */
const MESSAGE_BYTES = 64 * 1024;

export function busIn(
  keys: Keys,
  link: Pick<Link, 'subscribe' | 'unsubscribe'>,
  publish: (channel: string, message: Buffer) => Promise<void>,
  { alive, owned, report }: Listening,
): Bus {
  const topics = new Map<string, Set<(message: Uint8Array) => void>>();
  const listen = (channel: string): Set<(message: Uint8Array) => void> => {
    const present = topics.get(channel);
    if (present !== undefined) return present;
    const listeners = new Set<(message: Uint8Array) => void>();
    topics.set(channel, listeners);
    link.subscribe(channel, (message) => {
      // A copy for each: none sees what another writes into it.
      for (const listener of listeners) listener(Uint8Array.from(message));
    });
    return listeners;
  };
  return {
    publish: async (topic, message) => {
      alive();
      if (message.length > MESSAGE_BYTES) throw new ClusterError('OVERSIZE');
      await publish(keys.topic(topic), Buffer.from(message));
    },
    subscribe: (topic, listener) => {
      alive();
      const channel = keys.topic(topic);
      const listeners = listen(channel);
      const own = (message: Uint8Array): void => {
        try {
          listener(message);
        } catch (error) {
          report(error);
        }
      };
      listeners.add(own);
      return owned(() => {
        listeners.delete(own);
        if (listeners.size > 0 || topics.get(channel) !== listeners) return;
        topics.delete(channel);
        link.unsubscribe(channel);
      });
    },
  };
}
