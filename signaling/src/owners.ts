/** Who owns a Room: this process, another that can be asked, or nobody who can be reached just now. */
import type { Channel } from '@veilcast/control';
import type { RoomId } from '@veilcast/protocol';
import type { OpenCluster } from './cluster.ts';
import { RemoteOwners } from './remote-owner.ts';
import { NotOwner, type Rooms } from './rooms.ts';
import type { Owner } from './seat.ts';

export interface OwnersOptions {
  readonly rooms: Rooms;
  readonly cluster: Pick<OpenCluster, 'signaling' | 'isDead'>;
  readonly report: (error: unknown) => void;
}

export class Owners {
  readonly #options: OwnersOptions;
  readonly #remote = new WeakMap<Channel, RemoteOwners>();

  constructor(options: OwnersOptions) {
    this.#options = options;
  }

  /** @throws NotOwner: the owner cannot be asked; and what `Rooms.ownerOf` throws */
  async find(roomId: RoomId, isKnown: boolean): Promise<Owner> {
    const { rooms, cluster } = this.#options;
    try {
      return await rooms.ownerOf(roomId, isKnown);
    } catch (thrown) {
      if (!(thrown instanceof NotOwner)) throw thrown;
      // A holder is named `<process>/<incarnation>/<life>`.
      const [processId = '', incarnation = ''] = thrown.lease.owner.split('/');
      const channel = cluster.signaling(processId);
      if (channel !== undefined) return this.#over(channel).of(roomId);
      if (cluster.isDead(processId, incarnation)) await rooms.bury(thrown.lease);
      throw thrown;
    }
  }

  #over(channel: Channel): RemoteOwners {
    const known = this.#remote.get(channel);
    if (known !== undefined) return known;
    const made = new RemoteOwners(channel, this.#options.report);
    this.#remote.set(channel, made);
    return made;
  }
}
