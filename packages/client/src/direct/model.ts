/** What is decided on and what comes of it: see decide.ts. */
import type { DirectStep } from '@veilcast/e2ee/said';
import type { PeerId, Source } from '@veilcast/protocol';

/** A path that is not there by then will not be. Slow: a relayed one over TLS takes 1.5 s. */
export const OPEN_MAX_MS = 6_000;
/** After this the direct path is closed whoever still shows something from it. The server closes its old places so late too. */
export const LEAVE_MAX_MS = 8_000;
/** After a third has left, so that one who comes and goes does not make two moves each time. */
export const SETTLE_MS = 500;
/** After the first failure, and twice as long after each, */
export const AGAIN_FIRST_MS = 4_000;
/** up to this. */
export const AGAIN_MAX_MS = 300_000;
/** An open path that held for so long has earned that its failures are forgotten. */
export const HELD_MS = 60_000;

/** Exactly two in the Room who may both send, with keys for each other. */
export interface Pair {
  readonly self: PeerId;
  readonly other: PeerId;
}

export type Path =
  | { readonly kind: 'none' }
  | { readonly kind: 'opening'; readonly attempt: number; readonly until: number }
  | { readonly kind: 'open'; readonly attempt: number; readonly since: number; readonly shows: readonly Source[] }
  | {
      readonly kind: 'leaving';
      readonly attempt: number;
      readonly until: number;
      /** What of the other we show from there yet. */
      readonly shows: readonly Source[];
      /** The other shows nothing of ours from there any more. */
      readonly theyLeft: boolean;
    };

export interface DirectState {
  /** Policy, link, person and browser allow it on this side. */
  readonly willing: boolean;
  readonly pair: Pair | undefined;
  /** The last one: with whom `path` is, also for a while after a third came. */
  readonly known: Pair | undefined;
  /** What people said they would; what comes from them may be here before the Room says that they are. */
  readonly wishes: ReadonlyMap<PeerId, boolean>;
  readonly attempt: number;
  readonly path: Path;
  readonly failures: number;
  /** Not before. */
  readonly tryAt: number;
}

export type DirectEvent =
  /** `here`: everybody who is in the Room. */
  | { readonly kind: 'room'; readonly pair: Pair | undefined; readonly here: ReadonlySet<PeerId> }
  | { readonly kind: 'willing'; readonly willing: boolean }
  | { readonly kind: 'heard'; readonly by: PeerId; readonly say: DirectStep }
  | { readonly kind: 'connected'; readonly attempt: number }
  | { readonly kind: 'broken'; readonly attempt: number }
  /** What of the other is shown from the direct path changed. */
  | { readonly kind: 'shows'; readonly attempt: number; readonly sources: readonly Source[] }
  | { readonly kind: 'wake' };

export type DirectEffect =
  | { readonly kind: 'say'; readonly to: Pair; readonly say: DirectStep }
  | { readonly kind: 'offer'; readonly with: Pair; readonly attempt: number }
  | { readonly kind: 'answer'; readonly with: Pair; readonly attempt: number; readonly sdp: string }
  /** Something for the connection of this attempt. */
  | { readonly kind: 'take'; readonly say: Extract<DirectStep, { step: 'answer' | 'candidates' | 'fits' }> }
  | { readonly kind: 'prefer'; readonly way: 'direct' | 'server' }
  /** What the server need not get, all of it. */
  | { readonly kind: 'rest'; readonly sources: readonly Source[] }
  | { readonly kind: 'close'; readonly attempt: number };

export interface DirectResult {
  readonly state: DirectState;
  readonly effects: readonly DirectEffect[];
}

export const NOT_DIRECT: DirectState = {
  willing: false,
  pair: undefined,
  known: undefined,
  wishes: new Map(),
  attempt: 0,
  path: { kind: 'none' },
  failures: 0,
  tryAt: 0,
};
