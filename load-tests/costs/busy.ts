/** What a packet costs a media worker that forwards many: two Rooms of 75 viewers, by the crowd of the audience bench. */
import { watched } from '../bench/audience.ts';
import { taken, type Measurement } from './measure.ts';

const SIZES = {
  full: { rooms: 2, viewers: 150, rounds: 8, seconds: 6, perSecond: 5, least: 0.9 },
  tiny: { rooms: 1, viewers: 3, rounds: 1, seconds: 2, perSecond: 0 },
} as const;

export const busy: Measurement = {
  names: ['packetBusy'],
  async run(effort, say) {
    const size = SIZES[effort];
    const rounds = await watched(size, say);
    // A share of a core in percent, and packets a second: 1 % of a core is 10,000 µs.
    const us = rounds.map(({ workerPercent, perSecond }) => (workerPercent * 1e4) / perSecond);
    const from = `about ${size.viewers} viewers of ${size.rooms} publishers with 150 packets/s of 1.1 kB on one worker, without the process around it`;
    return [taken('packetBusy', us, from)];
  },
};
