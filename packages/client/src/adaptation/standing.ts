/** What people are told of their connection. */

/** How much of a way is used: everything, less, or sound alone. */
export type Extent = 'all' | 'less' | 'sound';

/** What people should know of it. */
export interface NetworkStanding {
  readonly send: Extent;
  readonly receive: Extent;
  /** It is this device that cannot do more, and not the network. */
  readonly busy: boolean;
}

export const ALL_WELL: NetworkStanding = { send: 'all', receive: 'all', busy: false };
