/**
 * What all scenarios share: where the load goes, how large it is, shapes of media, and how a run ends. `full` is meant for a machine of
 * two cores that also runs the cluster; `tiny` only shows that a scenario works.
 */
import { openCrowd, type Crowd, type Publication, type Target } from 'k6/x/veilcast';

const target = JSON.parse(__ENV.VEILCAST_TARGET ?? '{"origin":"http://127.0.0.1:7800","sources":50}') as Target;

export type Size = 'tiny' | 'full';
export const size: Size = __ENV.VEILCAST_SIZE === 'tiny' ? 'tiny' : 'full';

/** Which of how many generators this is. Each has Rooms of its own, and its share of the people. */
const [part = 0, parts = 1] = (__ENV.VEILCAST_PART ?? '0/1').split('/').map(Number);

/** Of so many people or Rooms, those of this generator; at least one. */
export function share(count: number): number {
  return Math.max(1, Math.floor(((part + 1) * count) / parts) - Math.floor((part * count) / parts));
}

/** Rooms of one run, and of one generator, are its own. */
export const room = `load-${__ENV.VEILCAST_RUN ?? 'x'}`;

/** 1.3 Mb/s in 150 packets a second, a key frame of 40 packets each 10 s. */
export const camera: Publication = {
  source: 'camera',
  shape: { fps: 30, frameBytes: 5_430, keyFrameBytes: 43_400, keyEvery: 300, packetBytes: 1_090, layers: 1 },
};

/** A small camera of a webinar: 270 kb/s in 45 packets a second. */
export const thumbnail: Publication = {
  source: 'camera',
  shape: { fps: 15, frameBytes: 2_250, keyFrameBytes: 11_000, keyEvery: 150, packetBytes: 1_090, layers: 1 },
};

/** 720p in three layers: 1.5, 0.38 and 0.09 Mb/s. */
export const simulcast: Publication = {
  source: 'camera',
  shape: { fps: 30, frameBytes: 6_250, keyFrameBytes: 40_000, keyEvery: 300, packetBytes: 1_090, layers: 3 },
};

/** A shared screen: 1.6 Mb/s, five frames a second. */
export const screen: Publication = {
  source: 'screen',
  shape: { fps: 5, frameBytes: 40_000, keyFrameBytes: 120_000, keyEvery: 100, packetBytes: 1_090, layers: 1 },
};

/** Opus at 40 kb/s. */
export const voice: Publication = {
  source: 'microphone',
  shape: { fps: 50, frameBytes: 100, keyFrameBytes: 0, keyEvery: 0, packetBytes: 1_090, layers: 1 },
};

/** One function, once. Long runs are the function's matter. */
export function once(maxDuration: string): object {
  return { main: { executor: 'per-vu-iterations', vus: 1, iterations: 1, maxDuration, gracefulStop: '10s' } };
}

/** Of every scenario: everybody gets in, stays, and the generator has time left. */
export const sound = {
  veilcast_join_ok: ['rate>0.999'],
  veilcast_ended: ['count==0'],
};

/** Of every scenario with media: nothing is missing on a network that loses nothing, repaired or not. */
export const whole = {
  veilcast_missing_percent: ['p(95)<0.1'],
  veilcast_loss_percent: ['p(95)<0.1'],
};

/** Opens a crowd, and lets everybody go whatever happens. */
export function withCrowd(play: (crowd: Crowd) => void): void {
  const crowd = openCrowd(target);
  try {
    play(crowd);
  } finally {
    crowd.close();
  }
}

/** For the report: which metrics there are, and the rules for them. */
export function handleSummary(summary: object): Record<string, string> {
  const file = __ENV.VEILCAST_SUMMARY;
  return file === undefined ? {} : { [file]: JSON.stringify(summary) };
}
