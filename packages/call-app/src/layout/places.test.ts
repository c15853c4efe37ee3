import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { keepPlaces } from './places.ts';

const people = fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 30 });

it('seats everybody who is present once, and moves nobody whose place still exists', () => {
  fc.assert(
    fc.property(people, people, (before, present) => {
      const after = keepPlaces(before, present);
      expect([...after].sort()).toEqual([...present].sort());
      for (const [place, id] of before.entries()) {
        if (present.includes(id) && place < after.length) expect(after[place]).toBe(id);
      }
    }),
  );
});

it('changes nothing when nobody came or left', () => {
  fc.assert(
    fc.property(people, (present) => {
      expect(keepPlaces(present, present)).toEqual(present);
    }),
  );
});
