/** One Peer's connection and what was made for it, as its Room's owner keeps it. */
import { Answers } from './answers.ts';
import { EarlyWords } from './early.ts';
import type { Outbox } from './outbox.ts';
import type { Arrival } from './placing.ts';

export interface Seated {
  readonly outbox: Outbox;
  readonly answers: Answers;
  readonly arrival: Arrival;
  transports: ReadonlySet<string>;
  /** The Peer was moved and has not said that it knows: until it connects this transport, what it sends was meant for the old place. */
  awaits: string | undefined;
  credential: string;
  readonly early: EarlyWords;
  /** Aborts when the Peer goes: nobody waits any more. */
  readonly gone: AbortController;
  /** Ends the wait for a Peer without a socket. */
  stopAway: () => void;
}

export function newSeated(outbox: Outbox, arrival: Arrival): Seated {
  return {
    outbox,
    answers: new Answers(),
    arrival,
    transports: new Set(),
    awaits: undefined,
    credential: '',
    early: new EarlyWords(),
    gone: new AbortController(),
    stopAway: () => undefined,
  };
}
