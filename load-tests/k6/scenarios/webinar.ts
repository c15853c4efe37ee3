/** One shared screen, nine small cameras with voices, and many who watch them all: edumeet's test of 502 viewers, scaled to the machine. */
import { once, room, screen, share, size, sound, thumbnail, voice, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { cameras, viewers, seconds } = {
  tiny: { cameras: 2, viewers: 3, seconds: 3 },
  full: { cameras: 9, viewers: 20, seconds: 40 },
}[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    veilcast_join: ['p(95)<2700'],
    veilcast_loss_percent: ['p(95)<0.5'],
    // Theirs was 328 ms (median) over real networks; here nothing is far away.
    veilcast_delay: ['p(50)<50', 'p(99)<300'],
    veilcast_freezes: ['count<=3'],
  },
};

export default function webinar(): void {
  withCrowd((crowd) => {
    const group = { room, keys: true, perSecond: 5 };
    crowd.join({ ...group, role: 'speaker', count: 1, publish: [screen, voice] });
    crowd.join({ ...group, role: 'speaker', count: cameras, publish: [thumbnail, voice] });
    crowd.join({ ...group, role: 'viewer', count: share(viewers), watch: true });
    crowd.stay(seconds);
  });
}
