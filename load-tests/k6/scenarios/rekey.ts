/** People leave all the time, others come, and whoever stays must have the next key each time. */
import { once, room, share, size, sound, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { people, rooms, turns, pause } = {
  tiny: { people: 6, rooms: 1, turns: 2, pause: 0.5 },
  full: { people: 256, rooms: 4, turns: 30, pause: 1 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    // Placeholders make no keys: this is the delivery service and its sockets. With real members: the bench `rekey`.
    veilcast_rekey: ['p(95)<500'],
    veilcast_rekeyed: ['rate==1'],
  },
};

export default function rekey(): void {
  withCrowd((crowd) => {
    const many = share(rooms);
    const group = { room, rooms: many, role: 'speaker', keys: true } as const;
    const came = crowd.join({ ...group, count: share(people), perSecond: 25 });
    if (crowd.awaitKeys(came, 60) < came) throw new Error('not everybody got a place in the group');
    for (let turn = 0; turn < turns; turn++) {
      crowd.rekey();
      crowd.join({ ...group, count: many });
      crowd.awaitKeys(came, 10);
      crowd.stay(pause);
    }
  });
}
