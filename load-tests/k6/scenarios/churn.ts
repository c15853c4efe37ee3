/** A Room where people come and go all the time, while the others go on watching. */
import { camera, once, room, share, size, sound, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { viewers, turns, pause } = {
  tiny: { viewers: 4, turns: 2, pause: 1 },
  full: { viewers: 30, turns: 30, pause: 1 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    veilcast_join: ['p(95)<2000'],
    veilcast_first_packet: ['p(95)<2000'],
    veilcast_loss_percent: ['p(95)<0.5'],
    // Whoever left is served no longer, while the Room goes on.
    veilcast_excess_consumers: ['max==0'],
  },
};

export default function churn(): void {
  withCrowd((crowd) => {
    const viewer = { room, role: 'viewer', keys: true, watch: true } as const;
    const all = share(viewers);
    const each = Math.ceil(all / 10);
    crowd.join({ room, role: 'speaker', count: 1, keys: true, publish: [camera] });
    crowd.join({ ...viewer, count: all, perSecond: 10 });
    for (let turn = 0; turn < turns; turn++) {
      crowd.leave(each);
      crowd.join({ ...viewer, count: each });
      crowd.stay(pause);
    }
    crowd.excess(20);
  });
}
