/** Everybody is cut off at once, as when a signaling process dies, and comes back at once as the same device. */
import { once, room, size, sound, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { people, rooms, times } = {
  tiny: { people: 6, rooms: 1, times: 1 },
  full: { people: 150, rooms: 15, times: 3 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: { ...sound, veilcast_reconnect: ['p(95)<5000'] },
};

export default function reconnectStorm(): void {
  withCrowd((crowd) => {
    crowd.join({ room, rooms, role: 'speaker', count: people, perSecond: 25, keys: true });
    for (let time = 0; time < times; time++) {
      crowd.stay(3);
      crowd.reconnect();
    }
    crowd.stay(2);
  });
}
