/** Half an hour of an ordinary day: calls, an audience, people who come and go, chat. Nothing may grow, and nothing be left. */
import { camera, once, room, share, size, sound, voice, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { viewers, turns, pause } = {
  tiny: { viewers: 4, turns: 2, pause: 1 },
  full: { viewers: 30, turns: 360, pause: 5 },
}[size];
/** Turns from one look at what the cluster holds to the next. */
const LOOK_EVERY = 60;

export const options = {
  scenarios: once('40m'),
  thresholds: {
    ...sound,
    veilcast_join: ['p(95)<2000'],
    veilcast_loss_percent: ['p(95)<0.1'],
    veilcast_delay: ['p(50)<20', 'p(99)<100'],
    veilcast_message: ['p(99)<250'],
    veilcast_excess_consumers: ['max==0'],
  },
};

export default function soak(): void {
  withCrowd((crowd) => {
    const viewer = { room, role: 'viewer', keys: true, watch: true } as const;
    const all = share(viewers);
    const each = Math.ceil(all / 15);
    crowd.join({ room, role: 'speaker', count: 2, keys: true, publish: [camera, voice] });
    crowd.join({ ...viewer, count: all, perSecond: 5 });
    for (let turn = 1; turn <= turns; turn++) {
      crowd.leave(each);
      crowd.join({ ...viewer, count: each });
      crowd.stay(pause);
      crowd.say();
      if (turn % LOOK_EVERY === 0) crowd.excess(20);
    }
    crowd.excess(20);
  });
}
