/**
 * The main thread's side of the group worker: carries sealed bytes between it and signaling, and says where this Peer
 * stands in the group. No key passes here.
 */
import { ClusterError, type Admission, type ErrorCode, type PeerId } from '@veilcast/protocol';
import type { MemberIdentity } from '@veilcast/e2ee/identity';
import type { Speaker } from '@veilcast/e2ee/said';
import type { TrustedAuthority } from './authority.ts';
import { browserClock, pause } from './clock.ts';
import type { Signaling } from './socket.ts';
import type {
  GroupAnswer,
  GroupEvent,
  GroupStanding,
  GroupWarning,
  GroupWorkerInput,
  GroupWorkerOutput,
} from './workers/messages.ts';

/** Messages on their way at once. More: the application talks faster than the group can seal. */
const SAYING_MAX = 64;
/** Before asking again for what this Peer cannot do without. */
const AGAIN_PAUSE_MS = 1_000;
const AGAIN_TRIES = 10;

export interface GroupListeners {
  standing(standing: GroupStanding): void;
  /** A message that was opened, by whom MLS says it is from. */
  heard(speaker: Speaker, plaintext: Uint8Array): void;
  /** Something was not taken: a Commit, a message, or its content. Counted by reason. */
  refused(reason: string): void;
  warned(warning: GroupWarning): void;
  /** A member showed whose device it is. */
  identified(identity: MemberIdentity): void;
  /** A head of the log of bundles that the root signed. */
  headSeen(head: Uint8Array): void;
}

export class Group {
  readonly #worker: Worker;
  #listeners: GroupListeners | undefined;
  readonly #saying = new Map<number, (error: ErrorCode | undefined) => void>();
  #signaling: Signaling | undefined;
  #lastCall = 0;
  #closed = false;
  /** The public leaf key, base64url, once the worker has made it. */
  readonly leafKey: Promise<string>;

  /** `keys` goes to the frame worker's other end. */
  constructor(keys: MessagePort) {
    this.#worker = new Worker(new URL('./workers/group.worker.ts', import.meta.url), {
      type: 'module',
      name: 'veilcast-group',
    });
    this.leafKey = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<GroupWorkerOutput>) => {
        if (data.kind === 'started') resolve(data.leafKey);
        else this.#receive(data);
      };
      this.#worker.onerror = () => reject(new ClusterError('KEYS_FAILED', 'the group worker did not start'));
    });
    // Whoever joins awaits it; a page that was only prepared must not see an unhandled rejection.
    this.leafKey.catch(() => undefined);
    this.#post({ kind: 'start', port: keys }, [keys]);
  }

  /** While nobody waits for it: what an entry runs is compiled by then. */
  rehearse(): void {
    this.#post({ kind: 'rehearse' });
  }

  /** From here on events of the group are taken. */
  enter(
    admission: Admission,
    {
      authority,
      signaling,
      listeners,
    }: { authority: TrustedAuthority; signaling: Signaling; listeners: GroupListeners },
  ): void {
    this.#signaling = signaling;
    this.#listeners = listeners;
    const { roomId, peerId, credential, attested } = admission;
    const { key, ...trusted } = authority;
    this.#post({ kind: 'enter', roomId, peerId, credential, authority: key, ...trusted, attested });
  }

  revoked(list: Uint8Array): void {
    this.#post({ kind: 'revoked', list });
  }

  /** Who is in the Room now, ourselves included. */
  present(peers: readonly PeerId[]): void {
    this.#post({ kind: 'present', peers });
  }

  take(event: GroupEvent): void {
    this.#post({ kind: 'event', event });
  }

  /** Seals and sends. Waits while there is no group yet. @throws ClusterError KEYS_FAILED, OVERLOADED, DISCONNECTED … */
  async say(plaintext: Uint8Array): Promise<void> {
    if (this.#closed) throw new ClusterError('CLOSED');
    if (this.#saying.size >= SAYING_MAX) throw new ClusterError('OVERLOADED', 'too many messages wait to be sealed');
    this.#lastCall += 1;
    const call = this.#lastCall;
    const error = await new Promise<ErrorCode | undefined>((said) => {
      this.#saying.set(call, said);
      this.#post({ kind: 'say', call, plaintext });
    });
    if (error !== undefined) throw new ClusterError(error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#worker.terminate();
    for (const said of this.#saying.values()) said('CLOSED');
    this.#saying.clear();
  }

  #receive(message: Exclude<GroupWorkerOutput, { readonly kind: 'started' }>): void {
    switch (message.kind) {
      case 'ask':
        void this.#ask(message);
        return;
      case 'opened':
        this.#listeners?.heard(message.speaker, message.plaintext);
        return;
      case 'said':
        this.#saying.get(message.call)?.(message.error);
        this.#saying.delete(message.call);
        return;
      case 'refused':
        this.#listeners?.refused(message.reason);
        return;
      case 'identity':
        this.#listeners?.identified(message.identity);
        return;
      case 'head':
        this.#listeners?.headSeen(message.head);
        return;
      case 'wantAttestations':
        void this.#attest(message);
        return;
      case 'warning':
        this.#listeners?.warned(message.warning);
        return;
      default:
        this.#listeners?.standing(message);
    }
  }

  async #ask({ call, name, body }: GroupWorkerOutput & { readonly kind: 'ask' }): Promise<void> {
    let result: GroupAnswer;
    try {
      result = { ok: true, epoch: await this.#request(name, body) };
    } catch (thrown) {
      result = { ok: false, code: ClusterError.of(thrown).code };
    }
    if (!this.#closed) this.#post({ kind: 'answer', call, result });
  }

  async #attest({ call, peers }: GroupWorkerOutput & { readonly kind: 'wantAttestations' }): Promise<void> {
    const answer = await this.#persist(async (signaling) =>
      signaling.request('attestations', { peers: [...peers] }),
    ).catch(() => undefined);
    if (!this.#closed) this.#post({ kind: 'attestations', call, answer });
  }

  async #request(name: string, body: object): Promise<number | undefined> {
    const signaling = this.#signaling;
    if (!signaling) throw new ClusterError('NOT_JOINED');
    if (name === 'groupCommit') return (await signaling.request('groupCommit', body as never)).epoch;
    if (name === 'groupMessage') await signaling.request('groupMessage', body as never);
    else if (name === 'groupOffer') await signaling.request('groupOffer', body as never);
    else await signaling.request('groupRejoin', {});
    return undefined;
  }

  /** Without its answer nobody can be believed, so it is worth asking again. */
  async #persist<T>(request: (signaling: Signaling) => Promise<T>): Promise<T> {
    const signaling = this.#signaling;
    if (!signaling) throw new ClusterError('NOT_JOINED');
    for (let tries = 1; ; tries++) {
      try {
        return await request(signaling);
      } catch (thrown) {
        const { retry, retryMs } = ClusterError.of(thrown);
        if (tries >= AGAIN_TRIES || retry === 'never' || this.#closed) throw thrown;
        await pause(browserClock, retryMs ?? AGAIN_PAUSE_MS);
      }
    }
  }

  #post(input: GroupWorkerInput, transfer: Transferable[] = []): void {
    this.#worker.postMessage(input, transfer);
  }
}
