/** One camera to many: as many Rooms as it takes, since a Room has 100 Peers, each with a publisher of its own. */
import { camera, once, room, share, size, sound, whole, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

/** The shape is LiveKit's 1 × 3,000, scaled to the machine: 3,000 viewers are 38 Rooms of 80. */
const { viewers, rooms, seconds } = {
  tiny: { viewers: 4, rooms: 1, seconds: 3 },
  full: { viewers: 160, rooms: 2, seconds: 30 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    ...whole,
    veilcast_delay: ['p(50)<20', 'p(99)<150'],
    veilcast_freezes: ['count==0'],
  },
};

export default function broadcast(): void {
  withCrowd((crowd) => {
    const many = share(rooms);
    crowd.join({ room, rooms: many, role: 'speaker', count: many, keys: true, publish: [camera] });
    crowd.join({ room, rooms: many, role: 'viewer', count: share(viewers), perSecond: 20, keys: true, watch: true });
    crowd.stay(seconds);
  });
}
