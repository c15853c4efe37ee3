/** The worlds that histories are lived in: what a bug needs is mostly in the small one, and many seeds of it go into a minute. */
import type { Size } from './world.ts';

export const SIZES = {
  small: {
    regions: ['eu', 'us'],
    nodesPerRegion: 1,
    routers: [1, 2],
    sites: [1, 2],
    people: 10,
    rooms: ['alpha', 'alpha', 'alpha', 'alpha', 'beta'],
    steps: 5,
  },
  medium: {
    regions: ['eu', 'us', 'ap'],
    nodesPerRegion: 2,
    routers: [2, 2],
    sites: [3, 3],
    people: 36,
    rooms: ['alpha', 'beta', 'gamma', 'delta'],
    steps: 12,
  },
  large: {
    regions: ['sa', 'us', 'eu', 'me', 'ap'],
    nodesPerRegion: 4,
    routers: [3, 3],
    sites: [5, 5],
    people: 500,
    rooms: Array.from({ length: 45 }, (_, at) => `room-${at}`),
    steps: 40,
  },
} as const satisfies Record<string, Size>;
