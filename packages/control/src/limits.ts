/** The bounds of a Channel. Every queue it has is one of these long at most. */
export interface ChannelLimits {
  /** Largest Frame either way. Longer: a stranger makes us hold more. Shorter: a big Room's demand does not fit. */
  readonly frameBytes: number;
  /** Requests that wait for their answers. More: a slow remote costs more memory. Fewer: bursts are refused. */
  readonly inFlight: number;
  /** Requests of the remote that are being served, or whose answers wait to be sent. */
  readonly serving: number;
  /** Events kept until the first listener comes; above it the oldest is dropped and reported. */
  readonly earlyEvents: number;
  /** Deadline of a request that names none. */
  readonly deadlineMs: number;
  /** Longest deadline that is accepted from the remote. */
  readonly maxDeadlineMs: number;
  /** How long the remote may take to say Hello. */
  readonly helloMs: number;
  /** A Ping after this much. Longer: later suspicion. Shorter: more idle traffic. */
  readonly pingMs: number;
  /** Nothing heard for so many Pings: the remote is looked for by another way. Fewer: one late packet starts it. */
  readonly quietPings: number;
  /** Nothing heard for this long: the Channel is of no use, whatever others say. Shorter: pauses of a busy process close its Channels. */
  readonly suspectMs: number;
}

export const CHANNEL_LIMITS: ChannelLimits = {
  frameBytes: 4 * 1024 * 1024,
  inFlight: 4096,
  serving: 4096,
  earlyEvents: 1024,
  deadlineMs: 5_000,
  maxDeadlineMs: 60_000,
  helloMs: 3_000,
  pingMs: 250,
  quietPings: 2,
  suspectMs: 5_000,
};

/** Of the frames; the other side must speak the same. */
export const CONTROL_VERSION = 1;
