/** What every Room of this process is given. */
import type { Logger } from '@veilcast/node-kit';
import type { Clock, Random } from '@veilcast/protocol';
import type { Authority } from './authority.ts';
import type { Cluster } from './cluster.ts';
import type { SignalingConfig } from './config.ts';
import type { InspectMessage } from './framing.ts';
import type { Identities } from './identities.ts';
import type { SignalingMetrics } from './metrics.ts';
import type { Repeats } from './repeats.ts';
import type { TurnServers } from './turn/servers.ts';

/** What every Room of this process shares. */
export interface RoomServices {
  readonly config: SignalingConfig;
  readonly clock: Clock;
  readonly repeats: Repeats;
  readonly random: Random;
  readonly metrics: SignalingMetrics;
  readonly cluster: Cluster;
  readonly authority: Authority;
  readonly identities: Identities;
  readonly turn: TurnServers;
  readonly inspect: InspectMessage;
  readonly log: Logger;
  /** Something was thrown that should not have been. */
  readonly bug: (error: unknown) => void;
}
