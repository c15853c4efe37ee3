/**
 * A delivery service with a Room of clients around it. Both directions of every client are queues that chance empties, so that
 * Commits race, answers are late and people vanish in between. Clients keep a tree of their own: a group that falls apart
 * shows here.
 */
import type { Epoch, ErrorCode, PeerId } from '@veilcast/protocol';
import {
  openDelivery,
  reduce,
  type DeliveryEvent,
  type DeliveryState,
  type DeliveryStep,
  type GroupTold,
} from '../src/index.ts';

/** What a client knows of its group: which one, its Epoch, and who sits on which leaf. */
export interface View {
  readonly group: string;
  readonly epoch: number;
  readonly leaves: readonly (PeerId | null)[];
}

interface Sealed {
  readonly view: View;
  readonly group: string;
}

type Answer = { readonly ok: boolean; readonly view: View; readonly code: ErrorCode | undefined };
type Down = { readonly event: GroupTold } | { readonly answer: Answer };

export interface Client {
  readonly peerId: PeerId;
  /** silent: takes everything and never answers; from the start, or since it hung. */
  manner: 'honest' | 'silent';
  view: View | undefined;
  /** Commits that it has sent and knows no answer to, and how many of those answers mean nothing to it any more. */
  unanswered: number;
  stale: number;
  readonly up: DeliveryEvent[];
  readonly down: Down[];
}

export interface Taken {
  readonly before: DeliveryState;
  readonly event: DeliveryEvent;
  readonly step: DeliveryStep;
  readonly now: number;
}

const encode = (value: Sealed): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const decode = (bytes: Uint8Array): Sealed => JSON.parse(new TextDecoder().decode(bytes)) as Sealed;

export class World {
  state = openDelivery();
  now = 0;
  wakeAt: number | undefined;
  /** Of those who are in the Room. */
  readonly clients = new Map<PeerId, Client>();
  private made = 0;
  private readonly watch: (taken: Taken) => void;

  constructor(watch: (taken: Taken) => void) {
    this.watch = watch;
  }

  enter(manner: Client['manner']): void {
    const peerId = `p${this.made++}` as PeerId;
    this.clients.set(peerId, { peerId, manner, view: undefined, unanswered: 0, stale: 0, up: [], down: [] });
    this.give({ kind: 'enter', peerId });
  }

  vanish(peerId: PeerId, urgent = false): void {
    this.clients.delete(peerId);
    this.give({ kind: 'gone', peerId, urgent });
  }

  /** Time passes; the alarm rings once if it was set for before then. */
  pass(ms: number): void {
    this.now += ms;
    if (this.wakeAt !== undefined && this.wakeAt <= this.now) this.give({ kind: 'tick' });
  }

  /** The next request of a client comes to the server. */
  pumpUp(client: Client): void {
    const event = client.up.shift();
    if (event) this.give(event, client);
  }

  /** The next event or answer comes to a client, which does its part. */
  pumpDown(client: Client): void {
    const down = client.down.shift();
    if (!down || client.manner === 'silent') return;
    if ('answer' in down) this.hear(client, down.answer);
    else this.obey(client, down.event);
  }

  /** New keys for itself. */
  rotate(client: Client): void {
    if (client.view) this.send(client, client.view, undefined, []);
  }

  /** It lost its state, by its own account. */
  loseTrack(client: Client): void {
    client.view = undefined;
    client.stale = client.unanswered;
    client.up.push({ kind: 'rejoin', peerId: client.peerId });
  }

  say(client: Client): void {
    if (!client.view) return;
    const epoch = client.view.epoch as Epoch;
    client.up.push({
      kind: 'message',
      peerId: client.peerId,
      epoch,
      sealed: encode({ view: client.view, group: client.view.group }),
    });
  }

  give(event: DeliveryEvent, from?: Client): void {
    const before = this.state;
    const step = reduce(before, event, this.now);
    this.state = step.state;
    this.wakeAt = step.wakeAt;
    // The answer goes first: what follows may build on the Epoch that it grants.
    if (event.kind === 'commit' && from) {
      const { view } = decode(event.groupInfo);
      from.down.push({ answer: { ok: step.refusal === undefined, view, code: step.refusal } });
    }
    this.watch({ before, event, step, now: this.now });
    for (const effect of step.effects) {
      if (effect.kind === 'evict') {
        this.vanish(effect.peerId);
        continue;
      }
      for (const peerId of effect.peerIds) this.clients.get(peerId)?.down.push({ event: effect.event });
    }
  }

  private hear(client: Client, answer: Answer): void {
    client.unanswered--;
    if (client.stale > 0) client.stale--;
    else if (answer.ok) client.view = answer.view;
    else if (answer.code === 'TICKET_EXPIRED') client.up.push({ kind: 'rejoin', peerId: client.peerId });
  }

  private obey(client: Client, { name, body }: GroupTold): void {
    const { peerId, view } = client;
    switch (name) {
      case 'groupCreate':
        return this.send(client, { group: `g${body.ticket}`, epoch: -1, leaves: [] }, body.ticket, []);
      case 'groupJoin':
        return this.send(client, decode(body.groupInfo).view, body.ticket, []);
      case 'groupOffer':
        client.up.push({ kind: 'offer', peerId, keyPackage: new TextEncoder().encode(peerId) });
        return;
      case 'groupAdd':
        if (view?.epoch === body.epoch) this.admit(client, view, body.keyPackages);
        return;
      case 'groupWelcome': {
        client.view = decode(body.welcome).view;
        return;
      }
      case 'groupRemove':
        // Of an Epoch that is over, or asked twice: nothing to do.
        if (view?.epoch === body.epoch) this.send(client, view, undefined, body.peers);
        return;
      case 'groupCommit': {
        const { view: next, group } = decode(body.commit);
        if (!view) return;
        if (group !== view.group || body.epoch !== view.epoch) throw new Error(`${peerId} cannot apply ${body.epoch}`);
        client.view = next;
        return;
      }
      case 'groupMessage':
        if (
          view &&
          (decode(body.sealed).group !== view.group || body.epoch > view.epoch || body.epoch < view.epoch - 1)
        )
          throw new Error(`${peerId} cannot open ${body.epoch}`);
    }
  }

  private admit(client: Client, on: View, keyPackages: readonly Uint8Array[]): void {
    const adds = keyPackages.map((bytes) => new TextDecoder().decode(bytes) as PeerId);
    const leaves = on.leaves.slice(0, on.leaves.findLastIndex((leaf) => leaf !== null) + 1);
    if (leaves.lastIndexOf(client.peerId) !== leaves.length - 1 || leaves.includes(null)) {
      throw new Error(`${client.peerId} is asked and cannot let anybody in`);
    }
    const view = { group: on.group, epoch: on.epoch + 1, leaves: [...leaves, ...adds] };
    const bytes = encode({ view, group: on.group });
    client.unanswered++;
    client.up.push({
      kind: 'commit',
      peerId: client.peerId,
      epoch: on.epoch as Epoch,
      ticket: undefined,
      commit: bytes,
      groupInfo: bytes,
      removes: [],
      adds,
      welcome: bytes,
    });
  }

  private send(client: Client, on: View, ticket: number | undefined, removes: readonly PeerId[]): void {
    const leaves = on.leaves.map((leaf) => (leaf && removes.includes(leaf) ? null : leaf));
    if (ticket !== undefined) {
      const blank = leaves.indexOf(null);
      leaves[blank === -1 ? leaves.length : blank] = client.peerId;
    }
    const view = { group: on.group, epoch: on.epoch + 1, leaves };
    const create = on.epoch === -1;
    client.unanswered++;
    client.up.push({
      kind: 'commit',
      peerId: client.peerId,
      epoch: (create ? 0 : on.epoch) as Epoch,
      ticket,
      commit: create ? undefined : encode({ view, group: on.group }),
      groupInfo: encode({ view, group: on.group }),
      removes,
      adds: [],
      welcome: undefined,
    });
  }
}
