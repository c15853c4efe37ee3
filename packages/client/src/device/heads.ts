/** The newest head of each log that this browser has seen, kept between visits: a log that was rewritten meanwhile is noticed. */
import type { HeadMemory } from '../log-watch.ts';
import { identityDb } from './store.ts';

export const storedHeads: HeadMemory = {
  get: async (log) => (await identityDb()).get('heads', log),
  async put(log, remembered) {
    await (await identityDb()).put('heads', remembered, log);
  },
};
