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
}

/** A running service. `close` gives everything back and resolves within 5 s; `ready` says whether a call can be made now. */
export interface Service {
  ready(): boolean;
  close(): Promise<void>;
}
