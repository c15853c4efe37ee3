/**
 * Whether two people's media goes directly or by the server (ADR 0034): when to try, when to switch, when to go back, when to try
 * again. A reducer; the time is an argument, and the caller comes back at `wakeAt`.
 *
 * The one with the lower id offers, so that two offers never cross. Either way back is the same: both send to the server again at
 * once, each shows the other from there as soon as it comes, says so, and the direct path is closed when neither needs it.
 */
import type { DirectStep } from '@veilcast/e2ee/said';
import type { PeerId, Source } from '@veilcast/protocol';
import {
  AGAIN_FIRST_MS,
  AGAIN_MAX_MS,
  HELD_MS,
  LEAVE_MAX_MS,
  OPEN_MAX_MS,
  SETTLE_MS,
  type DirectEffect,
  type DirectEvent,
  type DirectResult,
  type DirectState,
  type Pair,
} from './model.ts';

/** Wishes remembered. */
const WISHES_MAX = 8;

/** When `wake` has something to do. */
export function wakeAt(state: DirectState): number | undefined {
  const { path } = state;
  if (path.kind === 'opening' || path.kind === 'leaving') return path.until;
  return path.kind === 'none' && mayTry(state) ? state.tryAt : undefined;
}

export function reduceDirect(state: DirectState, event: DirectEvent, now: number): DirectResult {
  const step = new Step(state, now);
  switch (event.kind) {
    case 'room':
      step.room(event.pair, event.here);
      break;
    case 'willing':
      step.willing(event.willing);
      break;
    case 'heard':
      step.heard(event.by, event.say);
      break;
    case 'connected':
      step.connected(event.attempt);
      break;
    case 'broken':
      step.broken(event.attempt);
      break;
    case 'shows':
      step.shows(event.attempt, event.sources);
      break;
    default:
      step.wake();
  }
  step.tryNow();
  return step.result;
}

/** Whether an offer is ours to make, once it is time. */
function mayTry({ willing, wishes, pair }: DirectState): boolean {
  return willing && pair !== undefined && pair.self < pair.other && wishes.get(pair.other) === true;
}

function samePair(a: Pair | undefined, b: Pair | undefined): boolean {
  return a?.self === b?.self && a?.other === b?.other;
}

/** One event being taken: gathers what changes and what is to be done. */
class Step {
  #state: DirectState;
  readonly #now: number;
  readonly #effects: DirectEffect[] = [];

  constructor(state: DirectState, now: number) {
    this.#state = state;
    this.#now = now;
  }

  get result(): DirectResult {
    return { state: this.#state, effects: this.#effects };
  }

  room(pair: Pair | undefined, here: ReadonlySet<PeerId>): void {
    const { known } = this.#state;
    const isGone = known !== undefined && (!here.has(known.other) || !here.has(known.self));
    if (isGone) this.#drop();
    else if (known && !samePair(pair, known)) this.#leave('told');
    if (isGone) this.#set({ known: undefined });
    if (samePair(pair, this.#state.pair)) return;
    this.#set({ pair });
    if (pair && samePair(pair, this.#state.known)) {
      this.#set({ tryAt: Math.max(this.#state.tryAt, this.#now + SETTLE_MS) });
    } else if (pair) {
      this.#set({ known: pair, attempt: 0, failures: 0, tryAt: this.#now });
      // Silence is no wish: where nothing may go directly nothing is said of it.
      if (this.#state.willing) this.#sayWish();
    }
  }

  willing(willing: boolean): void {
    if (willing === this.#state.willing) return;
    this.#set({ willing, failures: 0, tryAt: this.#now });
    if (!willing) this.#leave('told');
    this.#sayWish();
  }

  heard(by: PeerId, say: DirectStep): void {
    const { known, path, attempt } = this.#state;
    if (say.step === 'wish') return this.#theirWish(by, say.open);
    if (!known || by !== known.other) return;
    if (say.step === 'offer') return this.#offered(known, say.attempt, say.sdp);
    if (path.kind === 'none' || say.attempt !== attempt) return;
    switch (say.step) {
      case 'answer':
      case 'candidates':
      case 'fits':
        // Addresses and answers of a path that we leave are of no use.
        if (path.kind !== 'leaving') this.#do({ kind: 'take', say });
        return;
      case 'back':
        if (say.failed && path.kind !== 'leaving') this.#fail();
        return this.#leave('heard');
      default:
        // Theirs may be open a moment before ours.
        if (path.kind !== 'leaving') this.#do({ kind: 'rest', sources: say.sources });
        if (path.kind === 'leaving' && say.sources.length === 0) {
          this.#set({ path: { ...path, theyLeft: true } });
          this.#closeWhenLeft();
        }
    }
  }

  connected(attempt: number): void {
    const { path } = this.#state;
    if (path.kind !== 'opening' || path.attempt !== attempt) return;
    this.#set({ path: { kind: 'open', attempt, since: this.#now, shows: [] } });
    this.#do({ kind: 'prefer', way: 'direct' });
  }

  broken(attempt: number): void {
    const { path } = this.#state;
    if (path.kind === 'none' || path.attempt !== attempt) return;
    // Nothing comes by it any more, so the other's consent to close it is not waited for.
    if (path.kind === 'leaving') this.#set({ path: { ...path, theyLeft: true } });
    else {
      this.#fail();
      this.#leave('failed');
      const { path: left } = this.#state;
      if (left.kind === 'leaving') this.#set({ path: { ...left, theyLeft: true } });
    }
    this.#closeWhenLeft();
  }

  shows(attempt: number, sources: readonly Source[]): void {
    const { path, known } = this.#state;
    if ((path.kind !== 'open' && path.kind !== 'leaving') || path.attempt !== attempt) return;
    this.#set({ path: { ...path, shows: sources } });
    if (known) this.#do({ kind: 'say', to: known, say: { step: 'shows', attempt, sources: [...sources] } });
    this.#closeWhenLeft();
  }

  wake(): void {
    const { path } = this.#state;
    if ((path.kind !== 'opening' && path.kind !== 'leaving') || this.#now < path.until) return;
    if (path.kind === 'leaving') return this.#close(path.attempt);
    this.#fail();
    this.#leave('failed');
  }

  tryNow(): void {
    const { pair, path, tryAt } = this.#state;
    if (!pair || path.kind !== 'none' || !mayTry(this.#state) || this.#now < tryAt) return;
    const attempt = this.#state.attempt + 1;
    this.#set({ attempt, path: { kind: 'opening', attempt, until: this.#now + OPEN_MAX_MS } });
    this.#do({ kind: 'offer', with: pair, attempt });
  }

  #theirWish(by: PeerId, open: boolean): void {
    const { known, path, wishes } = this.#state;
    const isNews = wishes.get(by) !== open;
    const others = [...wishes].filter(([peerId]) => peerId !== by).slice(1 - WISHES_MAX);
    this.#set({ wishes: new Map([...others, [by, open]]) });
    if (by !== known?.other) return;
    if (isNews && open && path.kind === 'none') this.#set({ failures: 0, tryAt: this.#now });
    if (!open) this.#leave('heard');
  }

  #offered(known: Pair, attempt: number, sdp: string): void {
    const { pair, willing, path } = this.#state;
    if (attempt <= this.#state.attempt || known.self < known.other) return;
    // A newer try says that the older path is over on their side.
    if (path.kind !== 'none') this.#drop();
    this.#set({ attempt });
    if (!willing || !pair) {
      this.#do({ kind: 'say', to: known, say: { step: 'back', attempt, failed: false } });
      this.#do({ kind: 'say', to: known, say: { step: 'shows', attempt, sources: [] } });
      return;
    }
    this.#set({ path: { kind: 'opening', attempt, until: this.#now + OPEN_MAX_MS } });
    this.#do({ kind: 'answer', with: pair, attempt, sdp });
  }

  /** Back to the server. heard: the other knows already. */
  #leave(why: 'told' | 'heard' | 'failed'): void {
    const { path, known } = this.#state;
    if (path.kind === 'none' || path.kind === 'leaving') return;
    const { attempt } = path;
    if (why !== 'heard' && known)
      this.#do({ kind: 'say', to: known, say: { step: 'back', attempt, failed: why === 'failed' } });
    this.#do({ kind: 'rest', sources: [] });
    this.#do({ kind: 'prefer', way: 'server' });
    const until = this.#now + LEAVE_MAX_MS;
    // One that is not open here may be open there, and shown.
    const shows = path.kind === 'open' ? path.shows : [];
    this.#set({ path: { kind: 'leaving', attempt, until, shows, theyLeft: false } });
    // Who shows nothing from there has nothing to say of it later.
    if (shows.length === 0 && known) this.#do({ kind: 'say', to: known, say: { step: 'shows', attempt, sources: [] } });
  }

  #closeWhenLeft(): void {
    const { path } = this.#state;
    if (path.kind === 'leaving' && path.theyLeft && path.shows.length === 0) this.#close(path.attempt);
  }

  /** At once: there is nobody at the other end. */
  #drop(): void {
    const { path } = this.#state;
    if (path.kind === 'none') return;
    this.#do({ kind: 'rest', sources: [] });
    this.#do({ kind: 'prefer', way: 'server' });
    this.#close(path.attempt);
  }

  #close(attempt: number): void {
    this.#set({ path: { kind: 'none' }, tryAt: Math.max(this.#state.tryAt, this.#now + SETTLE_MS) });
    this.#do({ kind: 'close', attempt });
  }

  #fail(): void {
    const { path } = this.#state;
    const held = path.kind === 'open' && this.#now - path.since >= HELD_MS;
    const failures = held ? 1 : this.#state.failures + 1;
    const wait = Math.min(AGAIN_MAX_MS, AGAIN_FIRST_MS * 2 ** (failures - 1));
    this.#set({ failures, tryAt: this.#now + wait });
  }

  #sayWish(): void {
    const { known, willing } = this.#state;
    if (known) this.#do({ kind: 'say', to: known, say: { step: 'wish', open: willing } });
  }

  #set(change: Partial<DirectState>): void {
    this.#state = { ...this.#state, ...change };
  }

  #do(effect: DirectEffect): void {
    this.#effects.push(effect);
  }
}
