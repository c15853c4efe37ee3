/**
 * The attestations of other members, asked for in batches and kept until the group is left. They come from signaling through the
 * page, and are believed only after they were checked.
 */
import type { ShownAttestation } from '@veilcast/e2ee/identity';
import { ATTESTATIONS_MAX, type PeerId } from '@veilcast/protocol';

/** Kept at once. A Room has a hundred Peers. */
const KEPT_MAX = 512;

export interface AttestationAnswer {
  readonly head: Uint8Array;
  readonly attestations: readonly { readonly peerId: PeerId; readonly attestation: Uint8Array }[];
}

export class ShownAttestations {
  /** At most ATTESTATIONS_MAX Peers at a time; undefined: nobody answered. */
  readonly #ask: (peers: readonly PeerId[]) => Promise<AttestationAnswer | undefined>;
  readonly #held = new Map<PeerId, Promise<ShownAttestation | undefined>>();
  #wanted = new Map<PeerId, (shown: ShownAttestation | undefined) => void>();

  constructor(ask: (peers: readonly PeerId[]) => Promise<AttestationAnswer | undefined>) {
    this.#ask = ask;
  }

  /** One that needs no asking: our own. */
  put(peerId: PeerId, shown: ShownAttestation): void {
    this.#held.set(peerId, Promise.resolve(shown));
  }

  /** These are in the Room, or will be in the group soon. */
  expect(peers: readonly PeerId[]): void {
    for (const peerId of peers) void this.of(peerId);
  }

  /** Undefined when nobody has it now; it is asked for again the next time. */
  of(peerId: PeerId): Promise<ShownAttestation | undefined> {
    const held = this.#held.get(peerId);
    if (held !== undefined) return held;
    const coming = new Promise<ShownAttestation | undefined>((resolve) => {
      // Whatever else is wanted in this turn goes along.
      if (this.#wanted.size === 0) queueMicrotask(() => this.#fetch());
      this.#wanted.set(peerId, resolve);
    });
    this.#held.set(peerId, coming);
    void coming.then((shown) => shown === undefined && this.#held.delete(peerId));
    const [oldest] = this.#held.keys();
    if (this.#held.size > KEPT_MAX && oldest !== undefined) this.#held.delete(oldest);
    return coming;
  }

  #fetch(): void {
    const wanted = [...this.#wanted];
    this.#wanted = new Map();
    for (let at = 0; at < wanted.length; at += ATTESTATIONS_MAX) {
      void this.#fetchBatch(new Map(wanted.slice(at, at + ATTESTATIONS_MAX)));
    }
  }

  async #fetchBatch(batch: Map<PeerId, (shown: ShownAttestation | undefined) => void>): Promise<void> {
    const answer = await this.#ask([...batch.keys()]).catch(() => undefined);
    for (const { peerId, attestation } of answer?.attestations ?? []) {
      batch.get(peerId)?.(answer && { attestation, head: answer.head });
    }
    for (const resolve of batch.values()) resolve(undefined);
  }
}
