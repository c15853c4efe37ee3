/**
 * What all scenarios share: where the load goes, how large it is, shapes of media, and how a run ends. `full` is meant for a machine of
 * two cores that also runs the cluster; `tiny` only shows that a scenario works.
 */
import { openCrowd, type Crowd, type Publication, type Target } from 'k6/x/veilcast';

const target = JSON.parse(__ENV.VEILCAST_TARGET ?? '{"origin":"http://127.0.0.1:7800","sources":50}') as Target;

export type Size = 'tiny' | 'full';
export const size: Size = __ENV.VEILCAST_SIZE === 'tiny' ? 'tiny' : 'full';

/** Rooms of one run are its own. */
export const room = `load-${__ENV.VEILCAST_RUN ?? 'x'}`;

/** 1.3 Mb/s in 150 packets a second, a key frame of 40 packets each 10 s. */
export const camera: Publication = {
  source: 'camera',
  shape: { fps: 30, frameBytes: 5_430, keyFrameBytes: 43_400, keyEvery: 300, packetBytes: 1_090, layers: 1 },
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

/** Opens a crowd, and lets everybody go whatever happens. */
export function withCrowd(play: (crowd: Crowd) => void): void {
  const crowd = openCrowd(target);
  try {
    play(crowd);
  } finally {
    crowd.close();
  }
}

/** For the report: everything k6 knows at the end. */
export function handleSummary(summary: object): Record<string, string> {
  const file = __ENV.VEILCAST_SUMMARY;
  return file === undefined ? {} : { [file]: JSON.stringify(summary) };
}
