/** Who is shown large in the speaker view. Pure: the caller brings the levels and the time. */

/** Quieter than this is breath and keyboards. Higher: soft voices never come up. Lower: the view follows noise. */
const SPEAKING = 0.12;
/** How long the one in view may be silent before another takes over. Shorter: the view flickers in a lively talk. */
const HOLD_MS = 1_500;

export interface Spotlight {
  readonly id: string;
  /** When they were last heard. */
  readonly heardAt: number;
}

export interface Voice {
  readonly id: string;
  readonly level: number;
}

/** The next spotlight; the same object when nothing changes. */
export function nextSpotlight(
  current: Spotlight | undefined,
  voices: readonly Voice[],
  now: number,
): Spotlight | undefined {
  const own = voices.find((voice) => voice.id === current?.id);
  if (current && own && own.level >= SPEAKING)
    return now - current.heardAt < 250 ? current : { ...current, heardAt: now };
  if (current && own && now - current.heardAt < HOLD_MS) return current;
  const loudest = voices.reduce<Voice | undefined>(
    (best, voice) => (voice.level >= SPEAKING && voice.level > (best?.level ?? 0) ? voice : best),
    undefined,
  );
  if (loudest) return { id: loudest.id, heardAt: now };
  if (own) return current;
  const first = voices[0];
  return first && { id: first.id, heardAt: now };
}
