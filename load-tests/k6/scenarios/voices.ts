/** Ten people talk and everybody else listens: the shape of 10 × 3,000 with audio alone, scaled to the machine. */
import { once, room, share, size, sound, voice, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { talkers, listeners, rooms, seconds } = {
  tiny: { talkers: 3, listeners: 6, rooms: 1, seconds: 3 },
  full: { talkers: 20, listeners: 160, rooms: 2, seconds: 30 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    veilcast_loss_percent: ['p(95)<0.1'],
    veilcast_delay: ['p(50)<20', 'p(99)<100'],
  },
};

export default function voices(): void {
  withCrowd((crowd) => {
    const many = share(rooms);
    const group = { room, rooms: many, keys: true };
    crowd.join({
      ...group,
      role: 'speaker',
      count: many * Math.ceil(talkers / rooms),
      perSecond: 10,
      publish: [voice],
    });
    crowd.join({ ...group, role: 'viewer', count: share(listeners), perSecond: 20, watch: true });
    crowd.stay(seconds);
  });
}
