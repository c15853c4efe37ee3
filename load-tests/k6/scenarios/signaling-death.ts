/** A signaling process is killed while people watch: their calls go on at another one, and their media with hardly a gap. */
import { camera, once, room, share, size, sound, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

/** What `./veilcast load` is to start: one that can lose a process. */
export const cluster = 'processes';

const { viewers, rooms, seconds } = {
  tiny: { viewers: 4, rooms: 1, seconds: 15 },
  full: { viewers: 60, rooms: 4, seconds: 25 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    veilcast_reconnect: ['p(95)<5000'],
    // What a viewer has goes on until it has its next place.
    veilcast_gap: ['p(95)<1000'],
    veilcast_loss_percent: ['p(95)<0.5'],
  },
};

export default function signalingDeath(): void {
  withCrowd((crowd) => {
    // Processes that have just come up may say STORE_UNAVAILABLE to the first who join.
    crowd.stay(6);
    const many = share(rooms);
    const group = { room, rooms: many, keys: true, region: 'eu' };
    crowd.join({ ...group, role: 'speaker', count: many, publish: [camera] });
    crowd.join({ ...group, role: 'viewer', count: share(viewers), perSecond: 10, watch: true });
    crowd.stay(5);
    crowd.fault('kill signaling-1');
    crowd.stay(seconds);
  });
}
