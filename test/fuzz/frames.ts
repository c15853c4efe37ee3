/** Sealed frames of every codec, SFrame headers, and what is said. */
import { readFile } from 'node:fs/promises';
import { decodeHeader, encodeHeader, Keyring, type Codec, type Opener } from '@veilcast/sframe';
import { decodeFrame, encodeFrame, KINDS, type KindName } from '@veilcast/e2ee/fuzzing';
import {
  ENCODED,
  encodedFrames,
  frame,
  install,
  keyringOf,
  slices,
  takeSealedApart,
  tiles,
} from '@veilcast/sframe/fuzzing';
import { same } from './mutate.ts';
import { canonical, NONE, type Target } from './target.ts';

const REASONS = ['malformed', 'clear-range', 'unknown-key', 'passed-key', 'wrong-sender', 'replay', 'forged'];

/** Of somebody else, who has opened nothing yet. */
async function opener(): Promise<Opener> {
  const keyring = new Keyring();
  await install(keyring, 1, 1, 0);
  return keyring.opener({ peer: 'ada' });
}

/** What a frame opens to must be what was sealed, in its canonical form; its bytes may differ where browsers change them. */
export const frameTarget = (codec: Codec) => async (): Promise<Target> => {
  const encoded = await readFile(ENCODED, 'utf8');
  const ada = await keyringOf(0);
  const plain = {
    opus: [frame(60), frame(160, 3)],
    vp8: [frame(300), frame(1_100, 2)],
    vp9: encodedFrames(encoded, 'vp9').slice(0, 2),
    h264: [slices(2), ...encodedFrames(encoded, 'h264').slice(0, 2)],
    av1: [tiles(), ...encodedFrames(encoded, 'av1').slice(0, 2)],
  }[codec];
  const seeds: Uint8Array[] = [];
  for (const [index, bytes] of plain.entries()) {
    const outcome = await ada.sealer(1).seal(bytes, { codec, keyFrame: index === 0 }, 0);
    if (outcome.kind === 'sealed') seeds.push(outcome.bytes);
  }
  if (seeds.length === 0) throw new Error(`no frame of ${codec} could be sealed`);
  const right: Uint8Array[] = [];
  for (const seed of seeds) {
    const outcome = await (await opener()).open(seed, { codec }, 0);
    if (outcome.kind === 'opened') right.push(outcome.bytes);
  }
  let present = await opener();
  return {
    name: `frame of ${codec}`,
    accepts: 'what was sealed: it opens to the same bytes',
    seeds,
    reads: (input) => typeof takeSealedApart(input, codec) !== 'string',
    async take(input) {
      const outcome = await present.open(input, { codec }, 0);
      if (outcome.kind === 'refused') {
        return REASONS.includes(outcome.reason)
          ? { refused: outcome.reason }
          : { wrong: `refused as ${outcome.reason}` };
      }
      // It is in the replay window now, and would hide what else is under its counter.
      present = await opener();
      return right.some((bytes) => same(bytes, outcome.bytes)) ? 'taken' : { wrong: 'opened to what nobody sealed' };
    },
  };
};

export const headerTarget = (): Target => ({
  name: 'SFrame header',
  accepts: 'the shortest encoding',
  seeds: [encodeHeader(0n, 0n), encodeHeader(0xdeadbeefn, 77n), encodeHeader(2n ** 64n - 1n, 2n ** 40n)],
  take(input) {
    const header = decodeHeader(input);
    if (header === undefined) return NONE;
    const again = encodeHeader(header.kid, header.ctr);
    return same(again, input.subarray(0, header.length)) ? 'taken' : { wrong: 'taken in a longer encoding' };
  },
});

export const saidTarget = (): Target => {
  const base = {
    stream: 'ab'.repeat(16),
    way: 'ordered',
    number: 3,
    clock: 9,
    piece: 0,
    pieces: 1,
    kind: 'chat',
  } as const;
  const seeds = [
    encodeFrame({ ...base, payload: new TextEncoder().encode('{"text":"hi","at":5}') }),
    encodeFrame({ ...base, way: 'loose', kind: 'heads', payload: new TextEncoder().encode('{"next":7}') }),
    encodeFrame({ ...base, number: 9, pieces: 3, payload: new Uint8Array(16_128).fill(65) }),
  ];
  return canonical('said frame', seeds, decodeFrame, encodeFrame);
};

const NAMES = Object.keys(KINDS) as KindName[];

function isJson(input: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder().decode(input));
    return true;
  } catch {
    return false;
  }
}

/** The payload of every kind. JSON has many spellings of one value; the value must come back as it was. */
export const kindTarget = (): Target => {
  const stream = 'cd'.repeat(16);
  let turn = 0;
  const entry = { stream, number: 1, clock: 2, kind: 'chat', by: 'peer-1', name: 'x', payload: '{}' };
  const seeds = [
    { text: 'hello', at: 1 },
    { name: 'somebody' },
    { raised: true },
    { of: 'peer-1', stream, from: 1, count: 4 },
    { next: 7 },
    { of: 'peer-1' },
    { for: ['peer-1'], entries: [entry, { ...entry, number: 2 }] },
  ].map((value) => new TextEncoder().encode(JSON.stringify(value)));
  return {
    name: 'said kinds',
    accepts: 'a value that says the same again',
    seeds,
    take(input) {
      let taken = 0;
      // What is no JSON all of them refuse in one way: one of them is asked, each in its turn.
      turn = (turn + 1) % NAMES.length;
      for (const name of isJson(input) ? NAMES : NAMES.slice(turn, turn + 1)) {
        const kind = KINDS[name] as { decode(bytes: Uint8Array): unknown; encode(value: never): Uint8Array };
        const value = kind.decode(input);
        if (value === undefined) continue;
        taken += 1;
        const again = kind.decode(kind.encode(value as never));
        if (JSON.stringify(again) !== JSON.stringify(value)) return { wrong: `${name} says something else again` };
      }
      return taken === 0 ? NONE : 'taken';
    },
  };
};
