/** A Room full of people who watch one camera and one voice, and stay. */
import { camera, once, room, share, size, sound, voice, whole, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { viewers, seconds } = { tiny: { viewers: 4, seconds: 3 }, full: { viewers: 60, seconds: 60 } }[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    ...whole,
    veilcast_delay: ['p(50)<20', 'p(99)<100'],
    veilcast_first_packet: ['p(95)<2000'],
    veilcast_freezes: ['count==0'],
  },
};

export default function audience(): void {
  withCrowd((crowd) => {
    crowd.join({ room, role: 'speaker', count: 1, keys: true, publish: [camera, voice] });
    crowd.join({ room, role: 'viewer', count: share(viewers), perSecond: 10, keys: true, watch: true });
    crowd.stay(seconds);
  });
}
