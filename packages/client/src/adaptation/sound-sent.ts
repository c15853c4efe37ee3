/** What was negotiated for the voice that is sent, as the browser itself says it: what repairs it, and what is left out of it. Pure. */
import { entriesById, number, text, type StatsEntries } from '../media/stats.ts';

export interface SoundSent {
  /** In-band: the encoder puts a thinner copy of the last packet into the next as far as loss asks for it (RFC 6716 §2.1.7). */
  readonly fec: boolean;
  /** Next to nothing is sent while nobody speaks. */
  readonly dtx: boolean;
  /** Whole copies of earlier packets (RFC 2198). */
  readonly red: boolean;
  /** What the encoder aims at, bits a second; 0 where the browser does not say. */
  readonly bps: number;
}

/** Undefined where no sound is sent, or the browser does not say how. */
export function soundSent(entries: StatsEntries): SoundSent | undefined {
  const all = entriesById(entries);
  const sound = [...all.values()].find(({ type, kind }) => type === 'outbound-rtp' && kind === 'audio');
  const codec = sound && all.get(text(sound, 'codecId'));
  if (!sound || !codec) return undefined;
  const asked = text(codec, 'sdpFmtpLine').split(';');
  return {
    fec: asked.includes('useinbandfec=1'),
    dtx: asked.includes('usedtx=1'),
    red: text(codec, 'mimeType').toLowerCase() === 'audio/red',
    bps: number(sound, 'targetBitrate'),
  };
}
