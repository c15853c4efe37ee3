/** Time and randomness as arguments, so that tests own them (ADR 0008). */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls once after `ms`; returns how to cancel it. */
  after(ms: number, run: () => void): () => void;
  /** Calls every `ms`; returns how to stop it. */
  every(ms: number, run: () => void): () => void;
}

export interface Random {
  /** 0 ≤ x < 1. Not for keys. */
  float(): number;
  /** A new id, `<prefix>_` and 16 characters, unguessable outside tests. */
  id(prefix: string): string;
}
