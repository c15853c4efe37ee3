/**
 * The TURN servers that take new allocations, as they say themselves in the Directory: one that is ill, drains or died is out of it
 * within seconds (ADR 0033). Nothing is asked of them.
 */
import { Registration, registrationPrefix } from '@veilcast/control';
import type { Directory, Entry } from '@veilcast/coordination';
import { openSecrets } from '@veilcast/node-kit';
import type { Clock, IceServerList } from '@veilcast/protocol';
import { restCredential } from './credential.ts';
import { nearest, type TurnServer, type Whereabouts } from './nearest.ts';

export interface TurnServersOptions {
  readonly secretFile?: string | undefined;
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly directory: Directory;
  readonly report: (error: unknown) => void;
}

export interface TurnServers {
  /** The nearest two that are there, with a credential that begins now; undefined where this cluster has none at all. */
  listFor(whereabouts: Whereabouts): IceServerList | undefined;
  close(): void;
}

/** All of them are away: ask again soon. */
const NONE_NOW: IceServerList = { servers: [], ttlMs: 60_000 };

/** @throws Error when the file of secrets cannot be used */
export async function openTurnServers(options: TurnServersOptions): Promise<TurnServers> {
  const { secretFile, ttlMs, clock, directory, report } = options;
  if (secretFile === undefined) return { listFor: () => undefined, close: () => undefined };
  const secrets = await openSecrets(secretFile, { clock, report });
  let servers: readonly TurnServer[] = [];
  const stop = directory.watch(registrationPrefix('turn'), (entries) => {
    servers = entries.flatMap(serverOf);
  });
  return {
    listFor: (whereabouts) => {
      const told = nearest(servers, whereabouts);
      if (told.length === 0) return NONE_NOW;
      const credential = restCredential(secrets.current[0], whereabouts.peerId, clock.now() + ttlMs);
      return { servers: told.map(({ iceUrls }) => ({ urls: [...iceUrls], ...credential })), ttlMs };
    },
    close: () => {
      stop();
      secrets.close();
    },
  };
}

/** Whatever somebody else wrote there is passed over. */
function serverOf({ value }: Entry): TurnServer[] {
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    return [];
  }
  const { data } = Registration.safeParse(json);
  return data?.iceUrls === undefined ? [] : [{ ...data, iceUrls: data.iceUrls }];
}
