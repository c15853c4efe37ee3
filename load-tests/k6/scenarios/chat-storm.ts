/** One of each Room speaks ten times a second to everybody else there. */
import { once, room, share, size, sound, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { people, rooms, messages } = {
  tiny: { people: 6, rooms: 1, messages: 5 },
  full: { people: 250, rooms: 5, messages: 100 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    veilcast_message: ['p(50)<50', 'p(99)<250'],
    veilcast_messages_heard: ['rate==1'],
  },
};

export default function chatStorm(): void {
  withCrowd((crowd) => {
    const group = { room, rooms: share(rooms), count: share(people), perSecond: 25 };
    const came = crowd.join({ ...group, role: 'speaker', keys: true });
    if (crowd.awaitKeys(came, 60) < came) throw new Error('not everybody got a place in the group');
    for (let message = 0; message < messages; message++) {
      crowd.say();
      crowd.stay(0.1);
    }
    crowd.stay(2);
  });
}
