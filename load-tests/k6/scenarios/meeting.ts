/** Everybody publishes a camera in three layers, and watches all others: the shape of 150 × 150, as large as two cores take. */
import { once, room, share, simulcast, size, sound, voice, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { people, rooms, seconds } = {
  tiny: { people: 3, rooms: 1, seconds: 3 },
  full: { people: 16, rooms: 2, seconds: 30 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    veilcast_loss_percent: ['p(95)<0.5'],
    veilcast_delay: ['p(50)<50', 'p(99)<300'],
    veilcast_first_packet: ['p(95)<3000'],
  },
};

export default function meeting(): void {
  withCrowd((crowd) => {
    const group = { room, rooms: share(rooms), count: share(people), perSecond: 4, keys: true, watch: true };
    crowd.join({ ...group, role: 'speaker', publish: [simulcast, voice] });
    crowd.stay(seconds);
  });
}
