/** What every service library is given, so that it runs alone, composed in `up`, or under a virtual clock alike. */
import type { Carrier } from '@veilcast/control';
import type { Coordination } from '@veilcast/coordination';
import type { Clock, Random } from '@veilcast/protocol';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';

export interface ServiceContext {
  readonly carrier: Carrier;
  readonly coordination: Coordination;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Registry;
  /** Ends this process, as if it had been asked to. Missing: others live in it too. */
  readonly finish?: (() => void) | undefined;
}

/** A running service. `close` gives everything back and resolves within 5 s; `ready` says whether a call can be made now. */
export interface Service {
  ready(): boolean;
  close(): Promise<void>;
  /** Where there is more to do before the end than `close` may take; bounded by the service itself. */
  drain?(): Promise<unknown>;
}
