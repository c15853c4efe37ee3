/**
 * A Room on a virtual clock: the real delivery service, the real Membership of every person, links that are slow, hang and
 * break, and people who come, go, vanish and close their lids. The group library is a parameter.
 */
import type { EpochKeys, GroupLibrary, GroupSelf, VerifiedCredential } from '@veilcast/e2ee';
import {
  openDelivery,
  reduce,
  type DeliveryEvent,
  type DeliveryStep,
  type EventOf,
  type GroupTold,
} from '@veilcast/delivery';
import { ClusterError, type Epoch, type ErrorCode, type PeerId, type RoomId } from '@veilcast/protocol';
import { seededRandom, virtualClock, type SeededRandom, type VirtualClock } from '@veilcast/testkit';
import type { GroupWarning } from '@veilcast/client';
import { Membership, type CommitBody, type Entry } from '@veilcast/client/membership';
import { wordOf } from './keys.ts';
import { Link } from './link.ts';

const ROOM = 'demo' as RoomId;
/** After which a silent Peer is lost, as socket.io finds out. */
const LOST_AFTER_MS = 20_000;
/** Before somebody whose connection broke comes back. */
const BACK_AFTER_MS = 500;

export interface Place {
  readonly epoch: number;
  readonly word: string;
  readonly members: readonly PeerId[];
}

/** One stay of one person. */
export interface Stay {
  readonly person: string;
  readonly peerId: PeerId;
  readonly link: Link;
  readonly membership: Membership;
  place: Place | undefined;
  readonly heard: string[];
  readonly refused: string[];
  readonly warnings: GroupWarning[];
}

export interface LibraryOf {
  (person: string): GroupLibrary;
}

export class RoomWorld {
  readonly clock: VirtualClock = virtualClock();
  readonly random: SeededRandom;
  /** By person. Who is not here is gone for good. */
  readonly stays = new Map<string, Stay>();
  /** Everything that a server ever saw of the group. */
  readonly wire: Uint8Array[] = [];
  /** Who was a member of the Epoch with this base key, by person. */
  readonly members = new Map<string, Set<string>>();
  readonly trace: string[] = [];
  readonly warnings: GroupWarning[] = [];
  delivery = openDelivery();
  /** What a server that cheats makes of an event on its way to somebody. */
  bend: (to: Stay, event: GroupTold) => readonly GroupTold[] = (_, event) => [event];
  /** What it makes of a Commit, instead of judging it; undefined: it judges. */
  judge: (from: Stay, commit: EventOf<'commit'>) => number | ErrorCode | undefined = () => undefined;
  /** Told whenever somebody has the keys of an Epoch. */
  heldBy: (stay: Stay, keys: EpochKeys, how: Entry) => void = () => undefined;
  readonly #libraryOf: LibraryOf;
  readonly #delayMax: number | undefined;
  readonly #room = new Map<PeerId, Stay>();
  readonly #personOf = new Map<PeerId, string>();
  #stopAlarm: (() => void) | undefined;
  #peers = 0;
  /** Grows when the server begins anew: what was meant for the one before is nothing to this one. */
  #server = 0;

  constructor(seed: number, libraryOf: LibraryOf, delayMax?: number) {
    this.random = seededRandom(seed);
    this.#libraryOf = libraryOf;
    this.#delayMax = delayMax;
  }

  async enter(person: string): Promise<Stay> {
    this.#peers += 1;
    const peerId = `peer${this.#peers}` as PeerId;
    this.#personOf.set(peerId, person);
    const library = this.#libraryOf(person);
    const self: GroupSelf = {
      roomId: ROOM,
      peerId,
      leafKey: await library.generateLeafKey(),
      credential: peerId,
      validate: async (credential): Promise<VerifiedCredential | undefined> => ({ peerId: credential as PeerId }),
    };
    const link = new Link(this.clock, this.random.fork(), this.#delayMax);
    const membership = new Membership(
      library,
      self,
      {
        commit: (body) => this.#commit(stay, body),
        message: ({ epoch, sealed }) =>
          this.#ask(stay, { kind: 'message', peerId, epoch: epoch as Epoch, sealed }).then(() => undefined),
        offer: (keyPackage) => this.#ask(stay, { kind: 'offer', peerId, keyPackage }).then(() => undefined),
        rejoin: () => this.#ask(stay, { kind: 'rejoin', peerId }).then(() => undefined),
        entered: (keys, how) => {
          stay.place = { epoch: keys.epoch, word: wordOf(keys), members: keys.members.map((member) => member.peerId) };
          this.#note(stay, how);
          this.heldBy(stay, keys, how);
        },
        lost: (final) => {
          stay.place = undefined;
          this.say(`${person} lost its place${final ? ' for good' : ''}`);
          if (final) this.comeBack(stay);
        },
        opened: (sender, plaintext) => stay.heard.push(`${sender} ${new TextDecoder().decode(plaintext)}`),
        refused: (reason) => {
          stay.refused.push(reason);
          this.say(`${person} refused: ${reason}`);
        },
        warned: (warning) => {
          stay.warnings.push(warning);
          this.warnings.push(warning);
          this.say(`${person} warned: ${warning.kind} ${warning.peers.join()} ${warning.reason}`);
        },
      },
      this.clock,
    );
    const stay: Stay = { person, peerId, link, membership, place: undefined, heard: [], refused: [], warnings: [] };
    this.stays.set(person, stay);
    this.say(`${person} comes as ${peerId}`);
    const server = this.#server;
    link.send('up', () => {
      if (server !== this.#server) return this.comeBack(stay);
      this.#room.set(peerId, stay);
      this.#tellPresent();
      this.#carryOut(this.#give({ kind: 'enter', peerId }));
    });
    return stay;
  }

  /** Says goodbye; the server knows at once, or after its message. */
  leave(stay: Stay): void {
    this.say(`${stay.person} leaves`);
    this.#end(stay, true);
    this.#gone(stay, false);
  }

  kick(stay: Stay): void {
    this.say(`${stay.person} is kicked`);
    this.#end(stay, true);
    this.#gone(stay, true);
  }

  /** Gone without a word: the server notices in its own time. */
  vanish(stay: Stay): void {
    this.say(`${stay.person} vanishes`);
    this.#end(stay, true);
    this.#goneLater(stay);
  }

  /** The connection breaks; the person comes back as another Peer, maybe before the server misses the first one. */
  comeBack(stay: Stay): void {
    if (this.stays.get(stay.person) !== stay) return;
    this.say(`${stay.person} is cut off`);
    this.#end(stay, false);
    this.#goneLater(stay);
    this.clock.after(BACK_AFTER_MS + this.random.int(2000), () => {
      if (this.stays.get(stay.person) === stay) void this.enter(stay.person);
    });
  }

  /** Another process takes the Room over: everybody joins anew, and the group is made anew. */
  restart(): void {
    this.say('the server restarts');
    this.#server += 1;
    this.#stopAlarm?.();
    this.delivery = openDelivery();
    this.#room.clear();
    for (const stay of this.stays.values()) this.comeBack(stay);
  }

  say(what: string): void {
    this.trace.push(`${this.clock.now() % 1e8} ${what}`);
  }

  /** Whatever an honest server would say of it. */
  tell(stay: Stay, events: readonly GroupTold[]): void {
    for (const event of events) stay.link.send('down', () => void stay.membership.take(event));
  }

  /** What the delivery service tells and answers, whoever asks. */
  #give(event: DeliveryEvent): DeliveryStep {
    const step = reduce(this.delivery, event, this.clock.now());
    this.delivery = step.state;
    this.#stopAlarm?.();
    this.#stopAlarm = undefined;
    if (step.wakeAt !== undefined) {
      this.#stopAlarm = this.clock.after(step.wakeAt - this.clock.now(), () =>
        this.#carryOut(this.#give({ kind: 'tick' })),
      );
    }
    return step;
  }

  #carryOut(step: DeliveryStep): void {
    for (const effect of step.effects) {
      if (effect.kind === 'evict') {
        const stay = this.#room.get(effect.peerId);
        if (stay) this.comeBack(stay);
        continue;
      }
      for (const peerId of effect.peerIds) {
        const stay = this.#room.get(peerId);
        if (stay) this.tell(stay, this.bend(stay, effect.event));
      }
    }
  }

  #commit(stay: Stay, body: CommitBody): Promise<number> {
    this.wire.push(body.groupInfo);
    for (const bytes of [body.commit, body.welcome]) if (bytes) this.wire.push(bytes);
    const { peerId } = stay;
    const { epoch, ticket, commit, groupInfo, removes, adds = [], welcome } = body;
    const made = { ticket, commit, groupInfo, removes, adds, welcome };
    const event: DeliveryEvent = { kind: 'commit', peerId, epoch: epoch as Epoch, ...made };
    return this.#ask(stay, event);
  }

  #ask(stay: Stay, event: DeliveryEvent): Promise<number> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      stay.link.send('up', () => {
        if (server !== this.#server) return;
        const bent = event.kind === 'commit' ? this.judge(stay, event) : undefined;
        if (typeof bent === 'number') return stay.link.send('down', () => resolve(bent));
        if (bent !== undefined) return stay.link.send('down', () => reject(new ClusterError(bent)));
        const step = this.#give(event);
        stay.link.send('down', () => {
          if (step.refusal === undefined) resolve(step.epoch ?? 0);
          else reject(new ClusterError(step.refusal));
        });
        this.#carryOut(step);
      });
    });
  }

  #note({ person, place, peerId }: Stay, { kind, by }: Entry): void {
    if (!place) return;
    this.say(`${person} (${peerId}) is in ${place.epoch} ${place.word.slice(0, 6)}: ${kind} by ${by}`);
    const here = this.members.get(place.word) ?? new Set<string>();
    for (const member of place.members) here.add(this.#personOf.get(member) ?? '');
    this.members.set(place.word, here);
  }

  #tellPresent(): void {
    const peers = [...this.#room.keys()];
    for (const stay of this.#room.values()) stay.link.send('down', () => stay.membership.present(peers));
  }

  #end(stay: Stay, forGood: boolean): void {
    stay.link.cut();
    stay.membership.close();
    stay.place = undefined;
    if (forGood && this.stays.get(stay.person) === stay) this.stays.delete(stay.person);
  }

  #gone({ peerId }: Stay, urgent: boolean): void {
    if (!this.#room.delete(peerId)) return;
    this.#tellPresent();
    this.#carryOut(this.#give({ kind: 'gone', peerId, urgent }));
  }

  #goneLater(stay: Stay): void {
    this.clock.after(this.random.int(LOST_AFTER_MS), () => this.#gone(stay, false));
  }
}
