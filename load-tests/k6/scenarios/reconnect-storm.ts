/** Everybody is cut off at once, as by a network that blinks, and resumes the call at once. */
import { once, room, share, size, sound, withCrowd } from './run.ts';

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
    const group = { room, rooms: share(rooms), count: share(people), perSecond: 25 };
    const came = crowd.join({ ...group, role: 'speaker', keys: true });
    for (let time = 0; time < times; time++) {
      crowd.stay(3);
      if (crowd.reconnect() < came) throw new Error('not everybody came back');
    }
    crowd.stay(2);
  });
}
