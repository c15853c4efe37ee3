/** A view of the store through a connection that fails: questions fail or wait, watchers hear nothing until it is back. */
import type { Coordination, Entry } from '@veilcast/coordination';
import { ClusterError } from '@veilcast/protocol';

export type StoreState = 'up' | 'down' | 'silent';

export interface StoreConnection {
  state(): StoreState;
  onState(listener: () => void): () => void;
  /** Resolves when an answer has travelled. What was asked has happened by then. */
  answered?(): Promise<void>;
}

export function faultyCoordination(view: Coordination, connection: StoreConnection): Coordination {
  const reach = async (): Promise<void> => {
    while (connection.state() === 'silent')
      await new Promise<void>((resolve) => {
        const stop = connection.onState(() => {
          stop();
          resolve();
        });
      });
    if (connection.state() === 'down') throw new ClusterError('INTERNAL', 'the store cannot be reached');
  };
  const asked = async <R>(ask: () => Promise<R>): Promise<R> => {
    await reach();
    const answer = await ask();
    await connection.answered?.();
    return answer;
  };
  return {
    leases: {
      acquire: (key, owner, ttlMs) => asked(() => view.leases.acquire(key, owner, ttlMs)),
      renew: (lease, ttlMs) => asked(() => view.leases.renew(lease, ttlMs)),
      release: (lease) => asked(() => view.leases.release(lease)),
      read: (key) => asked(() => view.leases.read(key)),
    },
    directory: {
      put: (key, value, ttlMs) => asked(() => view.directory.put(key, value, ttlMs)),
      remove: (entry) => asked(() => view.directory.remove(entry)),
      list: (prefix) => asked(() => view.directory.list(prefix)),
      watch: (prefix, listener) => watchThrough(view, connection, prefix, listener),
    },
    bus: {
      publish: (topic, message) => asked(() => view.bus.publish(topic, message)),
      // What is said while nobody hears is lost, as with a store that keeps no messages.
      subscribe: (topic, listener) =>
        view.bus.subscribe(topic, (message) => {
          if (connection.state() === 'up') listener(message);
        }),
    },
    journals: {
      append: (key, at, entries, ttlMs) => asked(() => view.journals.append(key, at, entries, ttlMs)),
      read: (key, from) => asked(() => view.journals.read(key, from)),
      remove: (key) => asked(() => view.journals.remove(key)),
    },
    reachable: () => connection.state() === 'up' && view.reachable(),
    close: () => view.close(),
  };
}

function watchThrough(
  view: Coordination,
  connection: StoreConnection,
  prefix: string,
  listener: (entries: readonly Entry[]) => void,
): () => void {
  let untold: readonly Entry[] | undefined;
  const tell = (): void => {
    if (untold === undefined || connection.state() !== 'up') return;
    const entries = untold;
    untold = undefined;
    listener(entries);
  };
  const stopState = connection.onState(tell);
  const stopWatch = view.directory.watch(prefix, (entries) => {
    untold = entries;
    tell();
  });
  return () => {
    stopState();
    stopWatch();
  };
}
