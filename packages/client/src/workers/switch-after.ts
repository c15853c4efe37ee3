/** How long a member seals with the Epoch before yet, so that the others have the new one when its frames come. */
import type { Change } from './membership-outside.ts';

/** Receivers get this long to learn a new Epoch before we seal with it, when nobody was removed. */
const SWITCH_AFTER_MS = 50;
/** While one Epoch follows another so fast, slow devices are behind: they get more time, and those inside see no gap. */
const CROWD_MS = 1_000;
const CROWD_SWITCH_AFTER_MS = 300;

/**
 * ms. A removal waits for nobody, and where there is nobody but us and who made the Epoch all have its keys.
 * @param learning members besides us who did not make it
 * @param sinceMs since the Epoch before it
 */
export function switchAfter({ removed }: Pick<Change, 'removed'>, learning: number, sinceMs: number): number {
  if (removed.length > 0 || learning === 0) return 0;
  return sinceMs < CROWD_MS ? CROWD_SWITCH_AFTER_MS : SWITCH_AFTER_MS;
}
