/**
 * Another place for a Peer whose Node or Worker is gone. The first try is at once; the cluster may need a moment to see who is left,
 * so it is tried again for as long as the person would rather wait than join anew.
 */
import { ClusterError, type Clock, type Role } from '@veilcast/protocol';
import { makeMedia, type Arrival, type MadeMedia, type PlacingOptions } from './placing.ts';

/** Between two tries. Shorter: a cluster in trouble is asked more often. */
const PAUSE_MS = 250;
/** Longer: somebody looks at a frozen call. Shorter: a cascade-router that died with the Node loses people their seats. */
const GIVE_UP_MS = 10_000;

export interface MovingOptions extends Pick<PlacingOptions, 'cascade' | 'nodes'> {
  readonly clock: Clock;
  /** @throws ClusterError: what was made is gone already */
  readonly mustStand: (made: MadeMedia) => void;
  /** Aborts when the Peer goes. */
  readonly signal: AbortSignal;
}

/** @throws ClusterError of the last try; nothing is left on any Node then */
export async function makeNewPlace(options: MovingOptions, arrival: Arrival, role: Role): Promise<MadeMedia> {
  const { clock, signal } = options;
  const until = clock.now() + GIVE_UP_MS;
  let { region } = arrival;
  for (;;) {
    try {
      const made = await makeMedia(options, { ...arrival, region }, role);
      options.mustStand(made);
      return made;
    } catch (thrown) {
      const error = ClusterError.of(thrown);
      const isNoRegion = error.code === 'NO_REGION';
      if (signal.aborted || (error.retry === 'never' && !isNoRegion) || clock.now() >= until) throw error;
      // Nobody is left in the region that was wished for: any other is better than none.
      if (isNoRegion && region !== '') region = '';
      else await pause(clock, error.retryMs ?? PAUSE_MS, signal);
    }
  }
}

async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const stop = clock.after(ms, () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
    const end = (): void => {
      stop();
      resolve();
    };
    signal.addEventListener('abort', end, { once: true });
  });
}
