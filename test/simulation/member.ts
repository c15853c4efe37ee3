/**
 * A member of a group without its cryptography: it keeps the tree, takes its turns and follows Commits as packages/client does.
 * A key is a random word; whoever has the same words at the same Epochs could decrypt each other.
 */
import type { Inspected } from '@veilcast/e2ee';
import type { Admission, AnyEvent, RequestInput } from '@veilcast/protocol';
import type { SeededRandom } from '@veilcast/testkit';

/** What packages/signaling must know of a message, and what members learn from it. */
interface Written extends Omit<Inspected, 'groupId'> {
  readonly groupId: string;
  readonly key: string;
  readonly leaves: readonly (string | null)[];
}

export interface GroupView {
  readonly groupId: string;
  readonly epoch: number;
  readonly key: string;
  /** PeerIds; null: blank. */
  readonly leaves: readonly (string | null)[];
}

type CommitBody = RequestInput<'groupCommit'>;

export interface Outside {
  /** @throws ClusterError */
  commit(body: CommitBody): Promise<unknown>;
  rejoin(): Promise<unknown>;
  /** Holds this Epoch's key from now on. */
  entered(view: GroupView): void;
}

function write(written: Written): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(written));
}

function read(bytes: Uint8Array): Written {
  return JSON.parse(new TextDecoder().decode(bytes)) as Written;
}

/** Stands in for packages/e2ee's `inspect`. */
export function inspectMessage(bytes: Uint8Array): Inspected {
  const written = read(bytes);
  return { ...written, groupId: new TextEncoder().encode(written.groupId) };
}

export class Member {
  view: GroupView | undefined;
  readonly #self: Pick<Admission, 'roomId' | 'peerId' | 'credential'>;
  readonly #random: SeededRandom;
  readonly #outside: Outside;
  #tail: Promise<void> = Promise.resolve();

  constructor(self: Pick<Admission, 'roomId' | 'peerId' | 'credential'>, random: SeededRandom, outside: Outside) {
    this.#self = self;
    this.#random = random;
    this.#outside = outside;
  }

  /** One after the other, each when the one before is done with. */
  take(event: AnyEvent): void {
    this.#tail = this.#tail.then(() => this.#apply(event).catch(() => this.resync()));
  }

  /** Gives up its place and asks for another. */
  async resync(): Promise<void> {
    this.view = undefined;
    await this.#outside.rejoin().catch(() => undefined);
  }

  async #apply(event: AnyEvent): Promise<void> {
    if (event.name === 'groupCreate') await this.#create(event.body.ticket, event.body.epoch);
    else if (event.name === 'groupJoin') await this.#join(event.body.ticket, event.body.epoch, event.body.groupInfo);
    else if (event.name === 'groupCommit') this.#follow(event.body.epoch, event.body.commit);
    else if (event.name === 'groupRemove') await this.#remove(event.body.epoch, event.body.peers);
  }

  async #create(ticket: number, epoch: number): Promise<void> {
    const { peerId } = this.#self;
    const view = { groupId: this.#random.id('group'), epoch: 0, key: this.#random.id('key'), leaves: [peerId] };
    await this.#outside.commit({ epoch, ticket, groupInfo: write(this.#written('groupInfo', view)), removes: [] });
    this.#adopt(view);
  }

  async #join(ticket: number, epoch: number, groupInfo: Uint8Array): Promise<void> {
    const { peerId, credential } = this.#self;
    const present = read(groupInfo);
    const own = present.leaves.indexOf(peerId);
    const leaves = present.leaves.map((leaf) => (leaf === peerId ? null : leaf));
    const blank = leaves.indexOf(null);
    if (blank === -1) leaves.push(peerId);
    else leaves[blank] = peerId;
    const made = this.#next(present, leaves);
    const commit = this.#written('commit', made, { external: true, credential, removes: own === -1 ? [] : [own] });
    await this.#outside.commit({ epoch, ticket, ...this.#sealed(commit, made), removes: [] });
    this.#adopt(made);
  }

  #follow(epoch: number, bytes: Uint8Array): void {
    if (this.view === undefined || epoch < this.view.epoch) return;
    const commit = read(bytes);
    if (commit.epoch !== this.view.epoch || commit.groupId !== this.view.groupId) throw new Error('another Epoch');
    if (!commit.leaves.includes(this.#self.peerId)) throw new Error('removed');
    this.#adopt({ groupId: commit.groupId, epoch: commit.epoch + 1, key: commit.key, leaves: commit.leaves });
  }

  async #remove(epoch: number, peers: readonly string[]): Promise<void> {
    const present = this.view;
    if (present?.epoch !== epoch) return;
    const removes = [...present.leaves.entries()].filter(([, leaf]) => leaf !== null && peers.includes(leaf));
    const leaves = present.leaves.map((leaf) => (leaf !== null && peers.includes(leaf) ? null : leaf));
    const made = this.#next(present, leaves);
    const commit = this.#written('commit', made, {
      sender: present.leaves.indexOf(this.#self.peerId),
      removes: removes.map(([leaf]) => leaf),
    });
    const removed = removes.map(([, leaf]) => leaf) as CommitBody['removes'];
    try {
      await this.#outside.commit({ epoch, ...this.#sealed(commit, made), removes: removed });
    } catch {
      // Somebody else was first: their Commit comes next.
      return;
    }
    this.#adopt(made);
  }

  #next(present: Pick<GroupView, 'groupId' | 'epoch'>, leaves: GroupView['leaves']): GroupView {
    return { groupId: present.groupId, epoch: present.epoch + 1, key: this.#random.id('key'), leaves };
  }

  #sealed(commit: Written, made: GroupView): { commit: Uint8Array; groupInfo: Uint8Array } {
    // A Commit is made in the Epoch before the one it makes.
    return { commit: write({ ...commit, epoch: made.epoch - 1 }), groupInfo: write(this.#written('groupInfo', made)) };
  }

  #written(kind: Written['kind'], view: GroupView, more: Partial<Written> = {}): Written {
    return { kind, room: this.#self.roomId, external: false, path: true, ...view, ...more };
  }

  #adopt(view: GroupView): void {
    this.view = view;
    this.#outside.entered(view);
  }
}
