/** One Peer's connection and what was made for it, as its Room's owner keeps it. */
import { EarlyWords } from './early.ts';
import type { Arrival } from './placing.ts';
import type { PeerLink } from './seat.ts';

export interface Seated {
  readonly link: PeerLink;
  readonly arrival: Arrival;
  transports: ReadonlySet<string>;
  /** The Peer was moved and has not said that it knows: until it connects this transport, what it sends was meant for the old place. */
  awaits: string | undefined;
  credential: string;
  readonly early: EarlyWords;
  /** Aborts when the Peer goes: nobody waits any more. */
  readonly gone: AbortController;
}

export function newSeated(link: PeerLink, arrival: Arrival): Seated {
  return {
    link,
    arrival,
    transports: new Set(),
    awaits: undefined,
    credential: '',
    early: new EarlyWords(),
    gone: new AbortController(),
  };
}
