/** Many people at the door within a second, into Rooms of ordinary size. They take no part in the media. */
import { once, room, share, size, sound, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { people, rooms } = { tiny: { people: 12, rooms: 2 }, full: { people: 200, rooms: 20 } }[size];

export const options = {
  scenarios: once('3m'),
  thresholds: { ...sound, veilcast_join: ['p(95)<3000'], veilcast_handshake: ['p(95)<3000'] },
};

export default function joinStorm(): void {
  withCrowd((crowd) => {
    const count = share(people);
    crowd.join({ room, rooms: share(rooms), role: 'speaker', count, perSecond: count, keys: true });
    crowd.stay(2);
  });
}
