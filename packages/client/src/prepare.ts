/**
 * The two workers of a Seat, wired to each other. They can be started before anybody clicks on Join: loading the group
 * library, making a leaf key and entering a group for the first time is the slowest thing that needs nothing of the server. So can the
 * sealed wire be opened.
 */
import { browserClock } from './clock.ts';
import { ownIdentity } from './device/device.ts';
import { Dialer } from './dialer.ts';
import { Group } from './group.ts';
import { askBrowser } from './media/browser-media.ts';
import { requireTransforms } from './transform-kind.ts';
import { Transforms } from './transforms.ts';
import type { ConnectOptions, Prepared, PrepareOptions } from './call.ts';

export class SeatWorkers implements Prepared {
  readonly group: Group;
  readonly transforms: Transforms;
  /** Has dialled already. */
  readonly dialer: Dialer | undefined;
  #taken = false;

  constructor({ url, pin }: PrepareOptions = {}) {
    requireTransforms();
    this.dialer = url === undefined ? undefined : new Dialer({ url, pin, clock: browserClock });
    this.dialer?.dialAhead(ownIdentity());
    askBrowser();
    const { port1, port2 } = new MessageChannel();
    this.transforms = new Transforms(port2);
    this.group = new Group(port1);
  }

  /** A leaf key is for one Peer: false when these were taken before. */
  take(): boolean {
    const first = !this.#taken;
    this.#taken = true;
    return first;
  }

  close(): void {
    if (!this.take()) return;
    this.dialer?.close();
    this.end();
  }

  /** Ends them whoever has them. */
  end(): void {
    this.group.close();
    this.transforms.close();
  }
}

/**
 * Starts what `connect` needs before there is a token, for a page that is shown before the call: the workers and, with a url,
 * the sealed connection to signaling, which holds it for some minutes.
 * @throws ClusterError MEDIA_UNSUPPORTED
 */
export function prepare(options: PrepareOptions = {}): Prepared {
  // Made at the first visit, read at every other one.
  void ownIdentity();
  const workers = new SeatWorkers(options);
  workers.group.rehearse();
  return workers;
}

/** The prepared one, which may have dialled already, or a new one. */
export function dialerOf({ url, pin, prepared }: ConnectOptions): Dialer {
  const dialed = prepared instanceof SeatWorkers ? prepared.dialer : undefined;
  return dialed ?? new Dialer({ url, pin, clock: browserClock });
}
