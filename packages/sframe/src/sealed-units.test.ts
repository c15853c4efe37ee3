/** Sealed units: whoever is between changes, drops, swaps or moves none of them unseen. */
import { beforeEach, expect, it } from 'vitest';
import { bytesOf, keyringOf, verdict } from './fixture.ts';
import type { Keyring } from './keyring.ts';
import type { Codec } from './model.ts';
import type { Opener } from './opener.ts';
import { hex, slices, tiles } from './units.fixture.ts';

let ada: Keyring;
let bob: Keyring;
let fromAda: Opener;
beforeEach(async () => {
  ada = await keyringOf(0);
  bob = await keyringOf(1);
  fromAda = bob.opener({ peer: 'ada' });
});

const seal = async (codec: Codec, plain: Uint8Array) =>
  bytesOf(await ada.sealer(4).seal(plain, { codec, keyFrame: true }, 0));
const open = async (codec: Codec, bytes: Uint8Array) => verdict(await fromAda.open(bytes, { codec }, 0));
const join = (...units: (string | undefined)[]) => hex(units.map((unit) => `00000001${unit}`).join(''));

it.each([
  ['h264', slices(2)],
  ['av1', tiles()],
] as const)('of %s: any one bit changed is refused, and it opens after all those', async (codec, plain) => {
  const sealed = await seal(codec, plain);
  let opened = 0;
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = sealed.slice();
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if ((await open(codec, changed)) === 'opened') opened += 1;
  }
  expect(opened).toBe(0);
  expect(await open(codec, sealed)).toBe('opened');
});

it('of H.264 that were left out, swapped or added are refused', async () => {
  const sealed = Buffer.from(await seal('h264', slices(2))).toString('hex');
  const [, sps, pps, one, two] = sealed.split('00000001');
  const verdicts = [];
  for (const units of [
    [pps, one, two],
    [sps, one, two],
    [pps, sps, one, two],
    [sps, pps, two],
    [sps, pps, two, one],
    [sps, pps, one],
    [sps, pps, one, one, two],
    [sps, pps, '0910', one, two],
    [sps?.replace('6742', '6743'), pps, one, two],
    [sps, pps, one, two],
  ]) {
    verdicts.push(await open('h264', join(...units)));
  }
  expect(verdicts.slice(0, -1)).not.toContain('opened');
  expect(verdicts.at(-1)).toBe('opened');
});

it('of H.264 stay one picture with start codes of three bytes', async () => {
  const sealed = Buffer.from(await seal('h264', slices(2))).toString('hex');
  expect(await open('h264', hex(sealed.replaceAll('00000001', '000001')))).toBe('opened');
});

it('of AV1 that were left out, swapped, moved to another layer or cut elsewhere are refused', async () => {
  const sealed = Buffer.from(await seal('av1', tiles())).toString('hex');
  const sequence = sealed.slice(0, 24);
  const header = sealed.slice(24, 24 + 14);
  const group = sealed.slice(38);
  const verdicts = [];
  for (const text of [
    header + group,
    sequence + group,
    header + sequence + group,
    sequence + header,
    sequence + header + header + group,
    sequence + header.replace(/^1e00/, '1e08') + group,
    // A byte of the frame header moved into the tile group.
    `${sequence}${header.slice(0, 4)}03${header.slice(6, 12)}${group.slice(0, 4)}${(parseInt(group.slice(4, 6), 16) + 1).toString(16)}${header.slice(12)}${group.slice(6)}`,
    `1200${sequence}7a0100${header}${group}`,
  ]) {
    verdicts.push(await open('av1', hex(text)));
  }
  expect(verdicts.slice(0, -1)).not.toContain('opened');
  expect(verdicts.at(-1)).toBe('opened');
});

it.each(['vp9', 'av1'] as const)(
  'of %s: every layer opens by itself, and none in the place of another',
  async (codec) => {
    const layers = await Promise.all([0, 1, 2].map((spatial) => seal(codec, tiles(spatial))));
    // The server dropped the upper two of most pictures.
    for (let picture = 0; picture < 100; picture++) {
      const all = await Promise.all([0, 1, 2].map((spatial) => seal(codec, tiles(spatial))));
      const kept = picture % 10 === 0 ? all : all.slice(0, 1 + (picture % 2));
      for (const layer of kept) expect(await open(codec, layer)).toBe('opened');
      expect(await open(codec, kept[0])).toBe('replay');
    }
    if (codec === 'vp9') return;
    const [base, upper] = layers.map((bytes) => Buffer.from(bytes).toString('hex'));
    const swapped = base.replace('1e0004', '1e0804').replace('2600', '2608');
    expect(swapped).not.toBe(base);
    expect(verdict(await bob.opener({ peer: 'ada' }).open(hex(swapped), { codec }, 0))).toBe('forged');
    expect(verdict(await bob.opener({ peer: 'ada' }).open(hex(upper), { codec }, 0))).toBe('opened');
  },
);
