/** What goes in comes out, and nothing else does: round trips, every bit, every check. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { takeApart } from './clear.ts';
import { baseKey, bytesOf, CODECS, frame, keyringOf, MEMBERS, verdict } from './fixture.ts';
import { packKeyId, unpackKeyId } from './header.ts';
import type { Keyring } from './keyring.ts';
import type { Codec } from './model.ts';
import type { Opener } from './opener.ts';
import { COUNTER_MAX, Sealer } from './sealer.ts';
import { av1Frame, ENCODED, encodedFrames, h264Frame, hex, slices } from './units.fixture.ts';

let ada: Keyring;
let bob: Keyring;
let fromAda: Opener;
beforeEach(async () => {
  ada = await keyringOf(0);
  bob = await keyringOf(1);
  fromAda = bob.opener({ peer: 'ada' });
});

const codecs = fc.constantFrom<Codec>(...CODECS);

const seal = async (codec: Codec = 'vp8', keyFrame = false, stream = 0) =>
  bytesOf(await ada.sealer(stream).seal(frame(60), { codec, keyFrame }, 0));

describe('round trip', () => {
  it('gives back every frame of every codec, size and stream, with its clear bytes in front', async () => {
    let now = 0;
    await fc.assert(
      fc.asyncProperty(
        codecs,
        fc.boolean(),
        fc.uint8Array({ minLength: 10, maxLength: 3000 }),
        fc.nat(15),
        fc.nat(900),
        async (codec, keyFrame, plain, stream, later) => {
          now += later;
          const sealed = bytesOf(await ada.sealer(stream).seal(plain, { codec, keyFrame }, now));
          const clear = codec === 'vp8' ? (keyFrame ? 10 : 1) : 0;
          expect(sealed.subarray(0, clear)).toEqual(plain.subarray(0, clear));
          expect(sealed.length).toBeLessThanOrEqual(plain.length + 16 + 17 + 2);
          const opened = await fromAda.open(sealed, { codec }, now);
          expect(opened).toMatchObject({ kind: 'opened', bytes: plain, key: { stream, leaf: 0, epoch: 1 } });
        },
      ),
      { numRuns: 200 },
    );
  });

  it.each([
    ['h264', h264Frame],
    ['av1', av1Frame],
  ] as const)('gives back every %s frame in its canonical form', async (codec, frames) => {
    await fc.assert(
      fc.asyncProperty(frames, fc.boolean(), async ({ frame: plain, canonical }, keyFrame) => {
        const sealed = bytesOf(await ada.sealer(4).seal(plain, { codec, keyFrame }, 0));
        expect(sealed.length).toBeLessThanOrEqual(canonical.length * 1.4 + 16 + 17 + 2 + 8);
        expect(await fromAda.open(sealed, { codec }, 0)).toMatchObject({ kind: 'opened', bytes: canonical });
      }),
      { numRuns: 300 },
    );
  });

  it.each(['h264', 'av1', 'vp9'] as const)('gives back what a real encoder of %s made', async (codec) => {
    for (const [index, plain] of encodedFrames(readFileSync(ENCODED, 'utf8'), codec).entries()) {
      const context = { codec, keyFrame: index === 0 };
      const sealed = bytesOf(await ada.sealer(4).seal(plain, context, 0));
      const outcome = await fromAda.open(sealed, { codec }, 0);
      const opened = outcome.kind === 'opened' ? outcome.bytes : undefined;
      // Its own canonical form stays as it is.
      const apart = takeApart(opened ?? frame(0), context);
      expect(apart).toEqual({ ...(takeApart(plain, context) as object), join: expect.any(Function) as unknown });
      if (codec === 'vp9') expect(opened).toEqual(plain);
    }
  });

  it('takes empty and tiny frames where nothing must stay clear', async () => {
    for (const codec of ['opus', 'vp9'] as const) {
      for (const length of [0, 1, 2]) {
        const sealed = bytesOf(await ada.sealer(0).seal(frame(length), { codec, keyFrame: false }, 0));
        expect(await fromAda.open(sealed, { codec }, 0)).toMatchObject({ kind: 'opened', bytes: frame(length) });
      }
    }
  });

  it('shows none of the rest of the frame', async () => {
    const plain = frame(200);
    const sealed = bytesOf(await ada.sealer(0).seal(plain, { codec: 'vp8', keyFrame: true }, 0));
    const seen = Buffer.from(sealed).toString('latin1');
    for (let at = 10; at + 4 <= plain.length; at++) {
      expect(seen.includes(Buffer.from(plain.subarray(at, at + 4)).toString('latin1'))).toBe(false);
    }
  });

  it('keeps the four fields of a KID apart', () => {
    const ids = fc.record({ step: fc.nat(255), stream: fc.nat(15), leaf: fc.nat(4095), epoch: fc.nat(255) });
    fc.assert(
      fc.property(ids, (id) => {
        expect(unpackKeyId(packKeyId(id))).toEqual(id);
      }),
    );
  });
});

describe('tampering', () => {
  it.each(CODECS)('refuses a %s frame with any one bit changed, and opens it after all those', async (codec) => {
    for (const keyFrame of [true, false]) {
      const sealed = bytesOf(await ada.sealer(2).seal(frame(24), { codec, keyFrame }, 0));
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const changed = sealed.slice();
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect((await fromAda.open(changed, { codec }, 0)).kind).toBe('refused');
      }
      expect(verdict(await fromAda.open(sealed, { codec }, 0))).toBe('opened');
    }
  });

  it('refuses a frame that was cut, lengthened or stripped of its trailer', async () => {
    const sealed = bytesOf(await ada.sealer(0).seal(frame(40), { codec: 'vp8', keyFrame: false }, 0));
    for (let length = 0; length < sealed.length; length++) {
      expect((await fromAda.open(sealed.subarray(0, length), { codec: 'vp8' }, 0)).kind).toBe('refused');
      expect((await fromAda.open(sealed.subarray(sealed.length - length), { codec: 'vp8' }, 0)).kind).toBe('refused');
    }
    expect((await fromAda.open(Uint8Array.of(...sealed, 0), { codec: 'vp8' }, 0)).kind).toBe('refused');
  });

  it('refuses a plain frame: nothing passes in the clear', async () => {
    for (const codec of CODECS) {
      expect((await fromAda.open(frame(1200), { codec }, 0)).kind).toBe('refused');
    }
  });

  it('never throws and never opens random bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 120 }),
        fc.constantFrom<Codec>('opus', 'vp8', 'vp9', 'h264', 'av1'),
        fc.nat(100_000),
        async (bytes, codec, now) => {
          expect((await fromAda.open(bytes, { codec }, now)).kind).toBe('refused');
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('never opens random bytes behind a well-formed trailer', async () => {
    const trailer = fc.tuple(fc.constantFrom(0, 1, 10), fc.nat(255), fc.nat(3), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 26, maxLength: 80 }), trailer, codecs, async (body, parts, codec) => {
        const [p, step, leaf, ctr] = parts;
        const bytes = Uint8Array.of(...body, 0xb9, step, 0x00, leaf, 1, ctr, ctr, p, 7);
        expect((await fromAda.open(bytes, { codec }, 0)).kind).toBe('refused');
      }),
      { numRuns: 500 },
    );
  });
});

describe('each check', () => {
  it('malformed: a header that fills more or less than it says, a KID of more than 32 bits, another version', async () => {
    const sealed = await seal();
    const headerLength = sealed.at(-1) ?? 0;
    for (const length of [0, headerLength - 1, headerLength + 1, 18, 32 | headerLength]) {
      const changed = sealed.slice();
      changed[changed.length - 1] = length;
      expect(verdict(await fromAda.open(changed, { codec: 'vp8' }, 0))).toBe('malformed');
    }
    const padded = Uint8Array.of(...frame(40), 0x10, 0, 0, 2);
    expect(verdict(await fromAda.open(padded, { codec: 'opus' }, 0))).toBe('malformed');
    const wide = Uint8Array.of(...frame(40), 0xc0, 1, 0, 0, 0, 1, 1, 6);
    expect(verdict(await fromAda.open(wide, { codec: 'vp8' }, 0))).toBe('malformed');
  });

  it('clear-range: a length that the codec does not have', async () => {
    for (const p of [0, 2, 9, 11]) {
      const changed = await seal();
      changed[changed.length - 2] = p;
      expect(verdict(await fromAda.open(changed, { codec: 'vp8' }, 0))).toBe('clear-range');
    }
  });

  it('clear-range: bytes that are no units of the codec, and units with a prefix of their own', async () => {
    const opus = await seal('opus');
    expect(verdict(await fromAda.open(opus, { codec: 'h264' }, 0))).toBe('clear-range');
    expect(verdict(await fromAda.open(Uint8Array.of(0x80, ...opus), { codec: 'av1' }, 0))).toBe('clear-range');
    const sealed = bytesOf(await ada.sealer(4).seal(slices(1), { codec: 'h264', keyFrame: true }, 0));
    sealed[sealed.length - 2] = 1;
    expect(verdict(await fromAda.open(sealed, { codec: 'h264' }, 0))).toBe('clear-range');
  });

  it('forged: a length that the codec has, but not this frame', async () => {
    const changed = await seal('vp8', false);
    changed[changed.length - 2] = 10;
    expect(verdict(await fromAda.open(changed, { codec: 'vp8' }, 0))).toBe('forged');
  });

  it('forged: a frame of one codec given out as another', async () => {
    expect(verdict(await fromAda.open(await seal('opus'), { codec: 'vp9' }, 0))).toBe('forged');
    expect(verdict(await fromAda.open(await seal('vp9'), { codec: 'opus' }, 0))).toBe('forged');
  });

  it('forged: another group with the same Epoch', async () => {
    const stranger = await keyringOf(0, 1, 0, 99);
    const sealed = bytesOf(await stranger.sealer(0).seal(frame(60), { codec: 'vp8', keyFrame: false }, 0));
    expect(verdict(await fromAda.open(sealed, { codec: 'vp8' }, 0))).toBe('forged');
  });

  it('wrong-sender: the frame of one Peer on the stream of another, of nobody, or of oneself', async () => {
    const sealed = await seal();
    expect(verdict(await bob.opener({ peer: 'cyd' }).open(sealed, { codec: 'vp8' }, 0))).toBe('wrong-sender');
    expect(verdict(await bob.opener({ peer: '' }).open(sealed, { codec: 'vp8' }, 0))).toBe('wrong-sender');
    expect(verdict(await ada.opener({ peer: 'ada' }).open(sealed, { codec: 'vp8' }, 0))).toBe('wrong-sender');
    const ghost = await keyringOf(9);
    const unseated = bytesOf(await ghost.sealer(0).seal(frame(60), { codec: 'vp8', keyFrame: false }, 0));
    expect(verdict(await fromAda.open(unseated, { codec: 'vp8' }, 0))).toBe('wrong-sender');
  });

  it('wrong-sender: one stream of a Peer on the place of another', async () => {
    const camera = bob.opener({ peer: 'ada', streams: [1, 2, 3] });
    expect(verdict(await camera.open(await seal('vp8', false, 2), { codec: 'vp8' }, 0))).toBe('opened');
    expect(verdict(await camera.open(await seal('vp8', false, 4), { codec: 'vp8' }, 0))).toBe('wrong-sender');
  });

  it('replay: the same frame twice, also at the same time', async () => {
    const sealed = await seal();
    const both = await Promise.all([
      fromAda.open(sealed, { codec: 'vp8' }, 0),
      fromAda.open(sealed, { codec: 'vp8' }, 0),
    ]);
    expect(both.map(verdict).toSorted()).toEqual(['opened', 'replay']);
    expect(verdict(await fromAda.open(sealed, { codec: 'vp8' }, 900))).toBe('replay');
  });

  it('unknown-key: an Epoch that is not here', async () => {
    const later = await keyringOf(0, 2);
    const sealed = bytesOf(await later.sealer(0).seal(frame(60), { codec: 'vp8', keyFrame: false }, 0));
    expect(verdict(await fromAda.open(sealed, { codec: 'vp8' }, 0))).toBe('unknown-key');
  });

  it('passed-key: an Epoch from before the oldest that is here, however the low bits wrap', async () => {
    for (const [newest, sealedIn, expected] of [
      [7, 6, 'passed-key'],
      [7, 8, 'unknown-key'],
      [256, 255, 'passed-key'],
      [255, 256, 'unknown-key'],
    ] as const) {
      const [ada, bob] = [await keyringOf(0, sealedIn), await keyringOf(1, newest)];
      const sealed = bytesOf(await ada.sealer(0).seal(frame(60), { codec: 'vp8', keyFrame: false }, 0));
      expect(verdict(await bob.opener({ peer: 'ada' }).open(sealed, { codec: 'vp8' }, 0))).toBe(expected);
    }
  });
});

describe('sealing', () => {
  it('refuses what are no units of their codec, and pictures without anything to seal', async () => {
    for (const [codec, plain] of [
      ['h264', frame(60)],
      ['h264', hex('000000016742c00ada')],
      ['av1', hex('1200')],
      ['av1', Uint8Array.of(0x80, 1)],
    ] as const) {
      expect(verdict(await ada.sealer(0).seal(plain, { codec, keyFrame: false }, 0))).toBe('layout');
    }
  });

  it('refuses a frame that is shorter than what must stay clear', async () => {
    expect(verdict(await ada.sealer(0).seal(frame(9), { codec: 'vp8', keyFrame: true }, 0))).toBe('short');
    expect(verdict(await ada.sealer(0).seal(frame(0), { codec: 'vp8', keyFrame: false }, 0))).toBe('short');
  });

  it('refuses when the counter is used up, and goes on with the next key', async () => {
    const { EpochKeyChain } = await import('./epoch.ts');
    const epoch = { epoch: 1, baseKey: baseKey(1), selfLeaf: 0, members: MEMBERS };
    const chain = await EpochKeyChain.create(epoch, 0);
    const sealer = new Sealer(0, { time: (now) => now, sealing: () => chain, opening: () => undefined }, 3);
    const context = { codec: 'opus', keyFrame: false } as const;
    const outcomes = await Promise.all(Array.from({ length: 4 }, () => sealer.seal(frame(9), context, 0)));
    expect(outcomes.map(verdict)).toEqual(['sealed', 'sealed', 'sealed', 'exhausted']);
    expect(verdict(await sealer.seal(frame(9), context, 1000))).toBe('sealed');
    expect(COUNTER_MAX).toBe(2 ** 32);
  });

  it('gives one Sealer a stream, and none for a stream outside the KID', () => {
    expect(ada.sealer(3)).toBe(ada.sealer(3));
    for (const stream of [-1, 16, 0.5, Number.NaN]) expect(() => ada.sealer(stream)).toThrow(RangeError);
  });
});
