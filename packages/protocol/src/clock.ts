/** Time as an argument, so that tests own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls once after `ms`; returns how to cancel it. */
  after(ms: number, run: () => void): () => void;
  /** Calls every `ms`; returns how to stop it. */
  every(ms: number, run: () => void): () => void;
}
