/** How a person without a picture looks: initials on a colour that their identity decides, the same for everybody. */

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

function first(word: string): string {
  for (const { segment } of graphemes.segment(word)) return segment;
  return '';
}

/** One or two letters: of the first and the last word. Whole graphemes, so that no accent or emoji is cut. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => first(word ?? ''));
  return letters.join('').toLocaleUpperCase();
}

/** FNV-1a, 32 bits: spreads ids that differ in one character. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return value;
}

/** A hue of twenty-four, in degrees. Lightness and chroma are the style sheet's, so that contrast holds for all of them. */
export function hue(identity: string): number {
  return (hash(identity) % 24) * 15;
}
