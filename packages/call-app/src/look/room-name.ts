/** Names for new rooms: two short words that are easy to read aloud, and a number so that two rooms seldom meet. */

const FIRST =
  'amber azure brisk calm clear cosy deep early fair fine fresh gentle golden green keen kind late light lively lucid mellow mild neat open plain quick quiet silver soft still swift warm'.split(
    ' ',
  );
const SECOND =
  'apple bay birch brook cedar cloud coral creek dune elm fern field fjord grove harbour hazel hill island lake linden maple meadow moss oak orchard pebble pine river sand stone valley willow'.split(
    ' ',
  );

/** From three random numbers: about nine million names. The room's door is its token, not its name. */
export function freshRoom([a = 0, b = 0, c = 0]: ArrayLike<number> & Iterable<number>): string {
  return `${FIRST[a % FIRST.length]}-${SECOND[b % SECOND.length]}-${1000 + (c % 9000)}`;
}
