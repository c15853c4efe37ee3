/**
 * The two workers of a Seat, wired to each other. They can be started before anybody clicks on Join: loading the group
 * library and making a leaf key is the slowest thing that needs nothing of the server.
 */
import { ownIdentity } from './device/device.ts';
import { Group } from './group.ts';
import { requireTransforms } from './transform-kind.ts';
import { Transforms } from './transforms.ts';
import type { Prepared } from './call.ts';

export class SeatWorkers implements Prepared {
  readonly group: Group;
  readonly transforms: Transforms;
  #taken = false;

  constructor() {
    requireTransforms();
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
    this.end();
  }

  /** Ends them whoever has them. */
  end(): void {
    this.group.close();
    this.transforms.close();
  }
}

/**
 * Starts what `connect` needs and no server has to answer, for a page that is shown before the call.
 * @throws ClusterError MEDIA_UNSUPPORTED
 */
export function prepare(): Prepared {
  // Made at the first visit, read at every other one.
  void ownIdentity();
  return new SeatWorkers();
}
