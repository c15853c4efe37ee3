/** A whole Region hangs while people there watch: they are moved to another one, and the others notice nothing. */
import { camera, once, room, share, size, sound, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

/** What `./veilcast load` is to start: one that can lose a Region. */
export const cluster = 'processes';

const { here, there, seconds } = {
  tiny: { here: 2, there: 3, seconds: 15 },
  full: { here: 20, there: 30, seconds: 30 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    // DESIGN §7: a host that hangs. A whole Region of them moves at once here, on the same two cores.
    veilcast_gap: ['p(95)<5000'],
  },
};

export default function regionLoss(): void {
  withCrowd((crowd) => {
    // Processes that have just come up may say STORE_UNAVAILABLE to the first who join.
    crowd.stay(6);
    const group = { room, keys: true, perSecond: 10 };
    crowd.join({ ...group, role: 'speaker', count: 1, region: 'eu', publish: [camera] });
    crowd.join({ ...group, role: 'viewer', count: share(here), region: 'eu', watch: true });
    crowd.join({ ...group, role: 'viewer', count: share(there), region: 'us', watch: true });
    crowd.stay(5);
    crowd.fault('hang us');
    crowd.stay(seconds);
  });
}
