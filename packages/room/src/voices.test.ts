/** Laws of the choice of voices, over random talks. */
import type { ProducerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { follow, NO_VOICES, VOICE_HOLD_MS, type Heard, type Voices } from './voices.ts';

const MAX = 3;
const ids = Array.from({ length: 8 }, (_, index) => `mic${index}` as ProducerId);

interface Moment {
  readonly after: number;
  readonly open: readonly ProducerId[];
  readonly heard: readonly Heard[];
}

const moment: fc.Arbitrary<Moment> = fc.record({
  after: fc.constantFrom(0, 100, 250, 250, 250, 1_000, 3_000),
  open: fc.oneof({ weight: 5, arbitrary: fc.constant(ids) }, fc.subarray([...ids])),
  heard: fc.uniqueArray(fc.record({ producerId: fc.constantFrom(...ids), level: fc.integer({ min: -90, max: 0 }) }), {
    selector: ({ producerId }) => producerId,
    maxLength: 6,
  }),
});

/** Shows every step of random talks. */
function talks(look: (before: Voices, after: Voices, moment: Moment, now: number) => void): void {
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 40 }), (moments) => {
      let voices = NO_VOICES;
      let now = 0;
      for (const one of moments) {
        now += one.after;
        const next = follow(voices, one.open, one.heard, MAX, now);
        look(voices, next, one, now);
        voices = next;
      }
    }),
  );
}

describe('the forwarded voices', () => {
  test('are open microphones, and no more than there are places', () => {
    talks((_, after, { open }) => {
      expect(after.places.size).toBeLessThanOrEqual(MAX);
      expect([...after.open.keys()].sort()).toEqual([...open].sort());
      for (const id of after.places.keys()) expect(open).toContain(id);
    });
  });

  test('are joined at once by whoever speaks while a place is free or its holder silent', () => {
    talks((before, after, { open, heard }, now) => {
      const speaks = heard.filter(({ producerId }) => open.includes(producerId));
      const kept = [...before.places.keys()].filter(
        (id) =>
          open.includes(id) &&
          (now - before.open.get(id)!.heardAt < VOICE_HOLD_MS || speaks.some(({ producerId }) => producerId === id)),
      );
      const opened = open.filter((id) => !before.open.has(id) && !speaks.some(({ producerId }) => producerId === id));
      const fresh = speaks.filter(({ producerId }) => !kept.includes(producerId));
      if (kept.length + fresh.length + opened.length > MAX) return;
      for (const { producerId } of fresh) expect(after.places.has(producerId)).toBe(true);
    });
  });

  test('keep a place for the time that was promised, unless they close', () => {
    talks((before, after, { open }, now) => {
      for (const [id, since] of before.places) {
        const isKept = now - since < VOICE_HOLD_MS || now - before.open.get(id)!.heardAt < VOICE_HOLD_MS;
        const young = now - since < VOICE_HOLD_MS;
        if (open.includes(id) && young && isKept) expect(after.places.has(id)).toBe(true);
      }
    });
  });

  test('are the loudest in the end: who is much louder than a fourth of the time is heard within the hold', () => {
    let voices = follow(NO_VOICES, ids, [], MAX, 0);
    for (let now = 0; now <= 2 * VOICE_HOLD_MS + 500; now += 250) {
      const heard = ids.map((producerId, index) => ({ producerId, level: -60 + 7 * index }));
      voices = follow(voices, ids, heard, MAX, now);
    }
    expect([...voices.places.keys()].sort()).toEqual(ids.slice(-MAX));
  });

  test('do not change when nothing is heard, nor when the same is heard twice', () => {
    talks((_, after, { open, heard }, now) => {
      expect(follow(after, open, [], MAX, now)).toBe(after);
      expect(follow(after, open, heard, MAX, now)).toEqual(after);
    });
  });
});
