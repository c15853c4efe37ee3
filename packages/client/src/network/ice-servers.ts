/**
 * The STUN and TURN servers of one Peer. The first list comes with its admission, each later one is asked for over the sealed
 * channel before the credentials of the last one end. Nothing is connected here: whoever makes a connection takes
 * `configuration` then, and again before an ICE restart. An allocation that stands outlives its credential.
 */
import type { Clock, IceServerList } from '@veilcast/protocol';

/** Asked again at this part of their life. Later: one lost answer and they have ended. */
const REFRESH_AT = 0.6;
/** After a refusal or a lost answer. Shorter: a server in trouble is asked more often. */
const RETRY_MS = 5_000;
/** Whatever a server says of their life. Shorter: a request a second of everybody. */
const REFRESH_MIN_MS = 10_000;

/** What a new RTCPeerConnection is given. No servers: there is none in this cluster. */
export type IceConfiguration = Required<Pick<RTCConfiguration, 'iceServers' | 'iceTransportPolicy'>>;

export interface IceOutside {
  /** Asks signaling for the next list. */
  readonly ask: () => Promise<IceServerList>;
  readonly clock: Clock;
  /** Nothing goes directly: for people who hide their address, and for tests of the relay. */
  readonly relayOnly: boolean;
}

export class IceServers {
  readonly #outside: IceOutside;
  readonly #listeners = new Set<(configuration: IceConfiguration) => void>();
  #servers: RTCIceServer[] = [];
  #stop: () => void = () => undefined;
  #closed = false;

  constructor(outside: IceOutside) {
    this.#outside = outside;
  }

  /** As of now; a new object each time. */
  get configuration(): IceConfiguration {
    return {
      iceServers: this.#servers.map((server) => ({ ...server })),
      iceTransportPolicy: this.#outside.relayOnly ? 'relay' : 'all',
    };
  }

  /** Told of every later list, until the returned function is called. */
  onChange(listener: (configuration: IceConfiguration) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A list has come. Undefined: this cluster has no TURN server, and nobody asks for one. */
  take(list: IceServerList | undefined): void {
    if (this.#closed || list === undefined) return;
    this.#servers = list.servers.map(({ urls, username, credential }) => ({ urls: [...urls], username, credential }));
    this.#refreshAfter(Math.max(REFRESH_MIN_MS, list.ttlMs * REFRESH_AT));
    for (const listener of this.#listeners) listener(this.configuration);
  }

  /** Asks at once: the region has changed, or a server has gone. Resolves when an answer came or none will. */
  async refresh(): Promise<void> {
    this.#stop();
    try {
      this.take(await this.#outside.ask());
    } catch {
      this.#refreshAfter(RETRY_MS);
    }
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    this.#listeners.clear();
  }

  #refreshAfter(ms: number): void {
    this.#stop();
    if (!this.#closed) this.#stop = this.#outside.clock.after(ms, () => void this.refresh());
  }
}
