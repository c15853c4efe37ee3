/**
 * Whose voice is forwarded where many microphones are open: the loudest few, with hysteresis. Pure; told levels and the time.
 *
 * Who begins to speak gets a place at once if one is free or its holder is silent, so that no first syllable is lost to a
 * rule; a place that was given is kept for a while, so that a lively talk does not flicker. Opening a microphone counts as
 * beginning to speak: people unmute to say something, and the Node's first measurement of it is half a second away.
 */
import type { ProducerId } from '@veilcast/protocol';

/** A place is kept for so long after it was given or its holder was last heard. Longer: the fourth waits. Shorter: pauses for breath cut people off. */
export const VOICE_HOLD_MS = 2_000;
/** By so much must the fourth be louder than a holder who is not silent, dB. Less: two equal voices take turns. */
export const VOICE_MARGIN_DB = 6;
/** Of a microphone that was opened and not measured yet, dBov. */
const UNMEASURED = -127;

/** One measurement of an open microphone, loud enough to be a voice. */
export interface Heard {
  readonly producerId: ProducerId;
  /** dBov, −127 to 0 (RFC 6464). */
  readonly level: number;
}

export interface Voice {
  readonly level: number;
  readonly heardAt: number;
}

export interface Voices {
  /** Every open microphone; when it was last heard, or opened. */
  readonly open: ReadonlyMap<ProducerId, Voice>;
  /** Who has a place, and since when. */
  readonly places: ReadonlyMap<ProducerId, number>;
}

export const NO_VOICES: Voices = { open: new Map(), places: new Map() };

/** The voices after a change of the open microphones or new measurements; the same object where nothing changed. */
export function follow(
  voices: Voices,
  microphones: readonly ProducerId[],
  heard: readonly Heard[],
  max: number,
  now: number,
): Voices {
  const measured = new Map(heard.map(({ producerId, level }) => [producerId, level]));
  const open = new Map<ProducerId, Voice>();
  const speaking: ProducerId[] = [];
  for (const producerId of microphones) {
    const before = voices.open.get(producerId);
    const level = measured.get(producerId) ?? (before ? undefined : UNMEASURED);
    const voice = level === undefined ? before : { level, heardAt: now };
    if (!voice) continue;
    open.set(producerId, voice);
    if (level !== undefined) speaking.push(producerId);
  }
  if (speaking.length === 0 && open.size === voices.open.size) return voices;
  const places = new Map([...voices.places].filter(([producerId]) => open.has(producerId)));
  speaking.sort((a, b) => open.get(b)!.level - open.get(a)!.level);
  for (const producerId of speaking) {
    if (places.has(producerId)) continue;
    const loser = places.size < max ? undefined : weakest(places, open, open.get(producerId)!.level, now);
    if (places.size >= max && loser === undefined) continue;
    if (loser !== undefined) places.delete(loser);
    places.set(producerId, now);
  }
  return { open, places };
}

/** Who gives up a place to a voice of this level: the longest silent, else the quietest of those who had theirs for long. */
function weakest(
  places: ReadonlyMap<ProducerId, number>,
  open: ReadonlyMap<ProducerId, Voice>,
  level: number,
  now: number,
): ProducerId | undefined {
  const holders = [...places].map(([producerId, since]) => ({ producerId, since, ...open.get(producerId)! }));
  const silent = holders.filter(({ heardAt }) => now - heardAt >= VOICE_HOLD_MS);
  if (silent.length > 0) return silent.reduce((a, b) => (b.heardAt < a.heardAt ? b : a)).producerId;
  const quieter = holders.filter((one) => now - one.since >= VOICE_HOLD_MS && one.level + VOICE_MARGIN_DB <= level);
  if (quieter.length === 0) return undefined;
  return quieter.reduce((a, b) => (b.level < a.level ? b : a)).producerId;
}
