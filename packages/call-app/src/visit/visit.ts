/**
 * One visit to one room: from the link through the pre-join and the call to its end. Owns the call, the local media and
 * what stands between them; components show its state and call its methods.
 */
import type { Call, CallReport, Prepared, Queued } from '@veilcast/client';
import { ClusterError, type ErrorCode } from '@veilcast/protocol';
import { LocalMedia } from '../media/local.ts';
import { Again } from './again.ts';
import { connect, prepare } from './connect.ts';
import { emptyReport } from './empty-report.ts';
import { remember, remembered } from './memory.ts';
import { cleanName, type VisitOptions } from './options.ts';
import { Publisher } from './publisher.ts';
import { Store } from './store.ts';
import { openTokens } from './token.ts';

export type Phase =
  | { readonly kind: 'preparing' }
  | { readonly kind: 'joining'; readonly step: 'token' | 'connect'; readonly queued?: QueuedHere }
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'left' }
  /** Could not join, or the call ended by something else than the person's wish. Tried again by itself at `againAt`, ms since 1970. */
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly againAt?: number | undefined };

/** Our place in line, and the one that we began with. */
export interface QueuedHere extends Queued {
  readonly of: number;
}

export interface VisitState {
  readonly phase: Phase;
  readonly name: string;
  /** Something in the call did not work; it stands beside the call until it is closed. */
  readonly notice: ErrorCode | undefined;
  /** The person's wish that nobody but the server gets an address of this device. */
  readonly hidesAddress: boolean;
}

/** Of the root that signs the servers' manifest, where the page was served with one. */
const PIN = document.querySelector<HTMLMetaElement>('meta[name="veilcast-pin"]')?.content;

/** A browser that cannot encrypt is told so when it joins. */
function prepared(): Prepared | undefined {
  try {
    return prepare({ url: location.origin, pin: PIN });
  } catch {
    return undefined;
  }
}

export class Visit {
  readonly options: VisitOptions;
  readonly media = new LocalMedia();
  readonly store: Store<VisitState>;
  #call: Call | undefined;
  #publisher: Publisher | undefined;
  /** Good for the first join; starts while the person looks at themselves. */
  readonly #prepared = prepared();
  /** Grows with every join and leave; an attempt that ends after a newer one is undone. */
  #attempt = 0;
  readonly #again = new Again();

  constructor(options: VisitOptions) {
    this.options = options;
    const name = options.name || cleanName(remembered('name'));
    this.store = new Store<VisitState>({
      phase: { kind: 'preparing' },
      name,
      notice: undefined,
      hidesAddress: remembered('hideAddress') === 'yes',
    });
  }

  get viewer(): boolean {
    return (this.#call?.snapshot.self.role ?? this.options.role) === 'viewer';
  }

  /** Opens the devices that the link does not switch off. */
  async openMedia(): Promise<void> {
    if (this.options.role === 'viewer') return;
    await this.media.start({ microphone: this.options.audio, camera: this.options.video });
  }

  async join(name: string): Promise<void> {
    const { kind } = this.store.value.phase;
    if (kind === 'joining' || kind === 'call') return;
    this.#again.stop();
    const attempt = ++this.#attempt;
    if (name !== '' && !this.options.join) remember('name', name);
    const { region, codec, relay, peerToPeer, room, role, token: given } = this.options;
    this.store.patch({ name, notice: undefined, phase: { kind: 'joining', step: given ? 'connect' : 'token' } });
    try {
      // Whatever needs no token goes on beside it.
      const tokens = openTokens(room, role, () => this.#hasToken(attempt));
      const call = await connect({
        url: location.origin,
        ...(PIN === undefined ? {} : { pin: PIN }),
        token: given ?? tokens,
        peerToPeer,
        queued: (queued) => {
          if (attempt === this.#attempt) this.#queue(queued);
        },
        hideAddress: this.store.value.hidesAddress,
        ...(this.#prepared && { prepared: this.#prepared }),
        ...(name === '' ? {} : { name }),
        ...(region === undefined ? {} : { region }),
        ...(codec === undefined ? {} : { codec }),
        ...(relay ? { relay } : {}),
      });
      if (attempt === this.#attempt) this.#enter(call);
      else await call.leave();
    } catch (thrown) {
      if (attempt === this.#attempt) this.#refused(ClusterError.of(thrown));
    }
  }

  #hasToken(attempt: number): void {
    const { phase } = this.store.value;
    if (attempt !== this.#attempt || phase.kind !== 'joining') return;
    this.store.patch({ phase: { kind: 'joining', step: 'connect' } });
  }

  async leave(): Promise<void> {
    this.#attempt++;
    this.#again.begin();
    const call = this.#call;
    this.#exit();
    this.store.patch({ phase: { kind: 'left' }, notice: undefined });
    await call?.leave().catch(() => undefined);
  }

  /** Joins anew with the devices as they were before. */
  async again(): Promise<void> {
    this.#again.begin();
    await this.#joinAnew();
  }

  async #joinAnew(): Promise<void> {
    void this.openMedia();
    await this.join(this.store.value.name);
  }

  /** Runs something the person asked of the call; what fails is told beside the call. */
  async act(step: Promise<unknown>): Promise<boolean> {
    try {
      await step;
      return true;
    } catch (thrown) {
      this.store.patch({ notice: ClusterError.of(thrown).code });
      return false;
    }
  }

  /** Kept for the next visits too. */
  hideAddress(hidesAddress: boolean): void {
    remember('hideAddress', hidesAddress ? 'yes' : '');
    this.store.patch({ hidesAddress });
    this.#call?.hideAddress(hidesAddress);
  }

  dismissNotice(): void {
    this.store.patch({ notice: undefined });
  }

  /** DESIGN §11: what `window.veilcast.report()` and "copy diagnostics" give, in a call or not. */
  async report(): Promise<CallReport> {
    const empty = emptyReport(this.options.room, this.store.value.name, this.options.role);
    return this.#call ? this.#call.report().catch(() => empty) : empty;
  }

  #queue(queued: Queued): void {
    const { phase } = this.store.value;
    if (phase.kind !== 'joining') return;
    const of = Math.max(queued.place, phase.queued?.of ?? 0);
    this.store.patch({ phase: { ...phase, queued: { ...queued, of } } });
  }

  /** Where the servers say when there may be room, it is tried again then. */
  #refused(error: ClusterError): void {
    const againAt = this.#again.failed(error, () => void this.#joinAnew());
    this.#fail(error.code, againAt);
  }

  #enter(call: Call): void {
    this.#again.begin();
    this.#call = call;
    if (call.snapshot.state === 'ended') {
      this.#fail(call.snapshot.error?.code ?? 'CLOSED');
      return;
    }
    this.#publisher = new Publisher(call, this.media, (thrown) =>
      this.store.patch({ notice: ClusterError.of(thrown).code }),
    );
    call.on('ended', (error) => {
      if (this.#call === call && this.store.value.phase.kind === 'call') this.#fail(error?.code ?? 'CLOSED');
    });
    this.store.patch({ phase: { kind: 'call', call } });
  }

  #fail(code: ErrorCode, againAt?: number): void {
    this.#exit();
    this.store.patch({ phase: { kind: 'failed', code, againAt }, notice: undefined });
  }

  /** The call object stays for the diagnostics; everything that runs stops. */
  #exit(): void {
    this.#publisher?.close();
    this.#publisher = undefined;
    this.media.stop();
  }
}
