/** Everybody wants into one Room within a second, and watches at once: as many as one Room takes. */
import { camera, once, room, share, size, sound, voice, withCrowd } from './run.ts';

export { handleSummary } from './run.ts';

const { viewers, seconds } = { tiny: { viewers: 8, seconds: 3 }, full: { viewers: 95, seconds: 20 } }[size];

export const options = {
  scenarios: once('5m'),
  thresholds: {
    ...sound,
    veilcast_join: ['p(95)<5000'],
    veilcast_first_packet: ['p(95)<5000'],
    veilcast_loss_percent: ['p(95)<0.1'],
  },
};

export default function flashCrowd(): void {
  withCrowd((crowd) => {
    crowd.join({ room, role: 'speaker', count: 1, keys: true, publish: [camera, voice] });
    crowd.stay(1);
    crowd.join({ room, role: 'viewer', count: share(viewers), keys: true, watch: true });
    crowd.stay(seconds);
  });
}
