/**
 * What a single careful person would note down about one key, and whether an answer fits it. Questions that were asked at the same
 * time fit when some order of them does: the store is linearizable, key by key.
 */
import type { Acquired, Lease } from '../ports.ts';
import { settleMs } from '../settle.ts';

export interface LeaseNote {
  readonly known:
    { readonly owner: string; readonly term: number; readonly leftMs: number; readonly released: boolean } | undefined;
  /** The greatest Term that was ever given. */
  readonly highest: number;
  /** How much longer a store that forgot gives nothing to others. */
  readonly unsettledMs: number;
}

export const NOTHING_NOTED: LeaseNote = { known: undefined, highest: 0, unsettledMs: 0 };

export type Asked =
  | { readonly kind: 'acquire'; readonly owner: string; readonly answer: Acquired }
  | { readonly kind: 'renew' | 'release'; readonly mine: Lease; readonly answer: boolean }
  | { readonly kind: 'read'; readonly answer: Lease | undefined };

export interface Pace {
  readonly ttlMs: number;
  /** No time passes but what is noted; else a store that forgot may have waited for long enough already. */
  readonly isExact: boolean;
}

/** What is noted after this answer; undefined: the answer is wrong. */
export function noted(note: LeaseNote, asked: Asked, { ttlMs, isExact }: Pace): LeaseNote | undefined {
  const { known } = note;
  const live = known !== undefined && !known.released && known.leftMs > 0 ? known : undefined;
  switch (asked.kind) {
    case 'acquire':
      return acquired(note, asked.owner, asked.answer, { ttlMs, isExact });
    case 'renew': {
      const { owner, term } = asked.mine;
      const isMine =
        known === undefined || known.term < term || (known.term === term && known.owner === owner && !known.released);
      if (asked.answer !== isMine) return undefined;
      return isMine ? { ...note, known: { owner, term, leftMs: ttlMs, released: false } } : note;
    }
    case 'release': {
      const { owner, term } = asked.mine;
      const isMine = known?.term === term && known.owner === owner && !known.released;
      if (asked.answer !== isMine) return undefined;
      return isMine ? { ...note, known: { ...known, released: true } } : note;
    }
    default:
      return asked.answer?.term === live?.term && asked.answer?.owner === live?.owner ? note : undefined;
  }
}

function acquired(note: LeaseNote, owner: string, answer: Acquired, { ttlMs, isExact }: Pace): LeaseNote | undefined {
  const { known, highest } = note;
  const live = known !== undefined && !known.released && known.leftMs > 0 ? known : undefined;
  if (live !== undefined && live.owner !== owner)
    return answer.kind === 'refused' && answer.lease.owner === live.owner && answer.lease.term === live.term
      ? note
      : undefined;
  if (known === undefined && note.unsettledMs > 0) {
    if (answer.kind === 'unsettled') return note;
    if (isExact) return undefined;
  }
  if (answer.kind !== 'held' || answer.lease.owner !== owner || answer.isFirst !== (known === undefined))
    return undefined;
  const { term } = answer.lease;
  if (live === undefined ? term <= highest : term !== live.term) return undefined;
  return { ...note, known: { owner, term, leftMs: ttlMs, released: false }, highest: term };
}

/** All that may be noted after questions that were asked at the same time; none: no order of them explains the answers. */
export function notedTogether(notes: readonly LeaseNote[], asked: readonly Asked[], pace: Pace): LeaseNote[] {
  const after = new Map<string, LeaseNote>();
  const explain = (note: LeaseNote, left: readonly Asked[]): void => {
    if (left.length === 0) after.set(JSON.stringify(note), note);
    for (const one of left) {
      const next = noted(note, one, pace);
      if (next !== undefined)
        explain(
          next,
          left.filter((other) => other !== one),
        );
    }
  };
  for (const note of notes) explain(note, asked);
  return [...after.values()];
}

/** Time goes by. */
export function later(note: LeaseNote, ms: number): LeaseNote {
  const known = note.known && { ...note.known, leftMs: note.known.leftMs - ms };
  return { ...note, known, unsettledMs: Math.max(0, note.unsettledMs - ms) };
}

/** The store loses everything. */
export function forgotten(note: LeaseNote, ttlMs: number): LeaseNote {
  return { ...note, known: undefined, unsettledMs: settleMs(ttlMs) };
}
