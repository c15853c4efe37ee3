/**
 * Figures of what is shown, added up over all ways that it came by: each way's receiver counts from its own beginning, and also what
 * nobody looked at. Pure; told the figures of every look.
 */
import { NO_AUDIO, NO_VIDEO, type AudioStats, type VideoStats } from './stats.ts';

type Figures = VideoStats & AudioStats;

const COUNTED = [
  'framesDecoded',
  'frozenMs',
  'packetsReceived',
  'concealedMs',
] as const satisfies readonly (keyof Figures)[];

interface Counted {
  readonly trackId: string;
  /** Of this track, when it was last looked at. */
  readonly last: Figures;
  readonly sums: Figures;
}

const NOTHING: Figures = { ...NO_VIDEO, ...NO_AUDIO };

export class Totals {
  /** By what is shown, whatever way it comes by. */
  #counted = new Map<string, Counted>();
  /** By track, of the last look. */
  #before: ReadonlyMap<string, Figures> = new Map();

  /** `shown`: by a name that outlives ways, the track that is shown. What is not in it any more is forgotten. */
  look(shown: ReadonlyMap<string, string>, figures: ReadonlyMap<string, Figures>): void {
    const counted = new Map<string, Counted>();
    for (const [name, trackId] of shown) {
      const known = this.#counted.get(name);
      const last = figures.get(trackId);
      if (last) counted.set(name, { trackId, last, sums: this.#sums(known, trackId, last) });
      else if (known) counted.set(name, known);
    }
    this.#counted = counted;
    this.#before = figures;
  }

  get(name: string): Figures | undefined {
    return this.#counted.get(name)?.sums;
  }

  #sums(known: Counted | undefined, trackId: string, now: Figures): Figures {
    if (!known) return now;
    const isSame = known.trackId === trackId;
    const before = isSame ? known.last : (this.#before.get(trackId) ?? NOTHING);
    const { framesDecoded, frozenMs, packetsReceived, concealedMs } = known.sums;
    const sums = { framesDecoded, frozenMs, packetsReceived, concealedMs };
    for (const count of COUNTED) {
      // The pause before a way came back is neither a freeze nor a hole: the other way was shown meanwhile.
      const isPause = !isSame && (count === 'frozenMs' || count === 'concealedMs');
      if (!isPause) sums[count] += Math.max(0, now[count] - before[count]);
    }
    return { ...now, ...sums };
  }
}
