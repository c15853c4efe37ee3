/** The delivery service with real MLS groups behind it: the leaves that it counts are those in the ratchet tree. */
import { tsMlsLibrary, type GroupSelf, type GroupState } from '@veilcast/e2ee';
import type { Epoch, PeerId, RoomId } from '@veilcast/protocol';
import { expect, test } from 'vitest';
import { openDelivery, reduce, type DeliveryEvent, type GroupTold } from '../src/index.ts';

const library = tsMlsLibrary();

class Room {
  state = openDelivery();
  readonly groups = new Map<PeerId, GroupState>();
  readonly #selves = new Map<PeerId, GroupSelf>();
  #told: { readonly peerId: PeerId; readonly event: GroupTold }[] = [];

  async enter(peerId: PeerId): Promise<void> {
    this.#selves.set(peerId, {
      roomId: 'demo' as RoomId,
      peerId,
      leafKey: await library.generateLeafKey(),
      credential: peerId,
      validate: (credential) => Promise.resolve({ peerId: credential as PeerId }),
    });
    await this.#give({ kind: 'enter', peerId });
  }

  async vanish(peerId: PeerId): Promise<void> {
    this.groups.delete(peerId);
    this.#selves.delete(peerId);
    await this.#give({ kind: 'gone', peerId, urgent: true });
  }

  async loseTrack(peerId: PeerId): Promise<void> {
    this.groups.delete(peerId);
    await this.#give({ kind: 'rejoin', peerId });
  }

  async #give(event: DeliveryEvent): Promise<void> {
    this.#take(event);
    for (let next = this.#told.shift(); next; next = this.#told.shift()) await this.#obey(next.peerId, next.event);
  }

  #take(event: DeliveryEvent): void {
    const step = reduce(this.state, event, 0);
    expect(step.refusal).toBeUndefined();
    this.state = step.state;
    for (const effect of step.effects) {
      if (effect.kind !== 'tell') throw new Error('nobody is evicted here');
      this.#told.push(...effect.peerIds.map((peerId) => ({ peerId, event: effect.event })));
    }
  }

  async #obey(peerId: PeerId, { name, body }: GroupTold): Promise<void> {
    const self = this.#selves.get(peerId);
    const group = this.groups.get(peerId);
    if (!self) return;
    if (name === 'groupCreate') {
      const { state, groupInfo } = await library.createGroup(self);
      this.groups.set(peerId, state);
      const nobody = { removes: [], adds: [], welcome: undefined };
      this.#commit({ peerId, epoch: body.epoch, ticket: body.ticket, commit: undefined, groupInfo, ...nobody });
    } else if (name === 'groupJoin') {
      const { next, ...made } = await library.joinGroup(self, body.groupInfo);
      this.groups.set(peerId, next);
      this.#commit({ peerId, epoch: body.epoch, ticket: body.ticket, ...made });
    } else if (name === 'groupRemove' && group) {
      const { next, ...made } = await library.commitRemoval(group, body.peers);
      this.groups.set(peerId, library.adopt(group, next));
      this.#commit({ peerId, epoch: body.epoch, ticket: undefined, ...made });
    } else if (name === 'groupCommit' && group) {
      const { next, removed } = await library.applyCommit(group, body.commit);
      expect(removed).toEqual(body.removes);
      this.groups.set(peerId, library.adopt(group, next));
    }
  }

  #commit(made: Omit<Extract<DeliveryEvent, { kind: 'commit' }>, 'kind'>): void {
    this.#take({ kind: 'commit', ...made });
  }
}

const peer = (n: number) => `p${n}` as PeerId;

test('a group that people enter, leave and re-enter keeps the leaves and Epochs that the service counts', async () => {
  const room = new Room();
  const agree = async () => {
    const counted = room.state.members.map(({ peerId, leaf }) => ({ peerId, leaf }));
    expect([...room.groups.keys()].sort()).toEqual(counted.map(({ peerId }) => peerId).sort());
    for (const group of room.groups.values()) {
      const { members, epoch } = await library.epochKeys(group);
      expect(epoch as Epoch).toBe(room.state.epoch);
      expect([...members].sort((x, y) => x.leaf - y.leaf)).toEqual(counted);
    }
  };
  for (const n of [0, 1, 2, 3, 4, 5]) await room.enter(peer(n));
  await agree();
  for (const n of [0, 3]) await room.vanish(peer(n));
  await agree();
  for (const n of [6, 7, 8]) await room.enter(peer(n));
  await agree();
  await room.loseTrack(peer(1));
  await agree();
  for (const n of [8, 5, 4, 2, 7]) await room.vanish(peer(n));
  await room.enter(peer(9));
  await agree();
  for (const n of [6, 1]) await room.vanish(peer(n));
  await room.loseTrack(peer(9));
  expect(room.state.epoch).toBe(0);
  await agree();
});
