/** One camera to many: as many Rooms as it takes, since a Room has 100 Peers, each with a publisher of its own. */
import { camera, once, room, size, sound, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { viewers, rooms, seconds } = {
  tiny: { viewers: 4, rooms: 1, seconds: 3 },
  full: { viewers: 160, rooms: 2, seconds: 30 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    veilcast_loss_percent: ['p(95)<0.1'],
    veilcast_delay: ['p(50)<20', 'p(99)<150'],
    veilcast_freezes: ['count==0'],
  },
};

export default function broadcast(): void {
  withCrowd((crowd) => {
    crowd.join({ room, rooms, role: 'speaker', count: rooms, keys: true, publish: [camera] });
    crowd.join({ room, rooms, role: 'viewer', count: viewers, perSecond: 20, keys: true, watch: true });
    crowd.stay(seconds);
  });
}
