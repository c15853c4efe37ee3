/**
 * The same comparison as the digits of `code.ts`, for eyes instead of ears: ten of sixty-four pictures are 60 bits. Seven would be
 * 42, and nothing commits an attacker to its group before the code is known, so that many can be searched for.
 */
import { sha512 } from '@noble/hashes/sha2.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';

const SHOWN = 10;
const LABEL = utf8ToBytes('veilcast/1 group emoji');

/**
 * Picture and the id of its name, in the order that counts: it never changes. No two are told apart by colour alone, none has
 * skin or gender, and all are one code point in every font.
 */
export const EMOJI = [
  ['🐶', 'dog'],
  ['🐱', 'cat'],
  ['🦁', 'lion'],
  ['🐴', 'horse'],
  ['🐷', 'pig'],
  ['🐘', 'elephant'],
  ['🐰', 'rabbit'],
  ['🐼', 'panda'],
  ['🐧', 'penguin'],
  ['🦉', 'owl'],
  ['🐢', 'turtle'],
  ['🐟', 'fish'],
  ['🐙', 'octopus'],
  ['🦋', 'butterfly'],
  ['🐝', 'bee'],
  ['🐌', 'snail'],
  ['🌵', 'cactus'],
  ['🌳', 'tree'],
  ['🍄', 'mushroom'],
  ['🌻', 'sunflower'],
  ['🍀', 'clover'],
  ['🌍', 'globe'],
  ['🌙', 'moon'],
  ['🌞', 'sun'],
  ['⭐', 'star'],
  ['⛅', 'cloud'],
  ['🔥', 'fire'],
  ['⛄', 'snowman'],
  ['🌈', 'rainbow'],
  ['⚡', 'lightning'],
  ['☔', 'umbrella'],
  ['🌊', 'wave'],
  ['🍎', 'apple'],
  ['🍌', 'banana'],
  ['🍇', 'grapes'],
  ['🍋', 'lemon'],
  ['🍓', 'strawberry'],
  ['🥕', 'carrot'],
  ['🌽', 'corn'],
  ['🍞', 'bread'],
  ['🧀', 'cheese'],
  ['🥚', 'egg'],
  ['🍕', 'pizza'],
  ['🎂', 'cake'],
  ['☕', 'coffee'],
  ['🍦', 'iceCream'],
  ['🚗', 'car'],
  ['🚲', 'bicycle'],
  ['🚂', 'train'],
  ['🚁', 'helicopter'],
  ['🚀', 'rocket'],
  ['⛵', 'boat'],
  ['⚓', 'anchor'],
  ['🔑', 'key'],
  ['🔨', 'hammer'],
  ['🧲', 'magnet'],
  ['📖', 'book'],
  ['📎', 'paperClip'],
  ['💡', 'lightBulb'],
  ['⏰', 'alarmClock'],
  ['🎈', 'balloon'],
  ['🔔', 'bell'],
  ['🎸', 'guitar'],
  ['⚽', 'ball'],
] as const;

export type EmojiName = (typeof EMOJI)[number][1];

export interface Emoji {
  readonly picture: string;
  readonly name: EmojiName;
}

/** Ten, of the digits of an epoch authenticator; none for no authenticator. Six bits of a byte each: none is likelier than another. */
export function groupEmoji(authenticator: string): Emoji[] {
  if (authenticator === '') return [];
  const digest = sha512(concatBytes(LABEL, hexToBytes(authenticator)));
  return Array.from(digest.subarray(0, SHOWN), (byte) => {
    const [picture, name] = EMOJI[byte % EMOJI.length] ?? EMOJI[0];
    return { picture, name };
  });
}
