/** The list of revoked devices as this member knows it: only a signed one, and never an older one. */
import { acceptRevocations, isRevoked, type MemberIdentity, type RevocationList } from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import type { PeerId } from '@veilcast/protocol';

/** Peers remembered. A Room has a hundred. */
const PEERS_MAX = 512;

export class Revocations {
  readonly #root: Uint8Array;
  readonly #revoked: (peers: PeerId[]) => void;
  readonly #keys = new Map<PeerId, Uint8Array>();
  #list: RevocationList | undefined;

  /** `revoked` is told of Peers that were believed until now. */
  constructor(root: Uint8Array, revoked: (peers: PeerId[]) => void) {
    this.#root = root;
    this.#revoked = revoked;
  }

  get list(): RevocationList | undefined {
    return this.#list;
  }

  believed({ peerId, key }: MemberIdentity): void {
    this.#keys.set(peerId, key);
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > PEERS_MAX && oldest !== undefined) this.#keys.delete(oldest);
  }

  /** False when the list was not taken: nobody signed it, or it is older than ours. */
  async take(bytes: Uint8Array): Promise<boolean> {
    const list = await acceptRevocations(bytes, this.#root, signatures, this.#list);
    // Another may have been taken meanwhile.
    if (list === undefined || list.number < (this.#list?.number ?? 0)) return false;
    this.#list = list;
    const out = [...this.#keys].filter(([, key]) => isRevoked(key, list)).map(([peerId]) => peerId);
    for (const peerId of out) this.#keys.delete(peerId);
    if (out.length > 0) this.#revoked(out);
    return true;
  }
}
