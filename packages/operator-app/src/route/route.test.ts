import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { linkTo, PLACES, readRoute, type Route } from './route.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const route: fc.Arbitrary<Route> = fc.record(
  { place: fc.constantFrom(...PLACES), id: text, q: text, sort: text, room: text },
  { requiredKeys: ['place'] },
);

it('a link opens at the state it was made from', () => {
  fc.assert(
    fc.property(route, (state) => {
      expect(readRoute(linkTo(state))).toEqual(state);
    }),
  );
});

it('any other hash is some place, and never an exception', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (hash) => {
      expect(PLACES).toContain(readRoute(hash).place);
    }),
  );
  expect(readRoute('')).toEqual({ place: 'overview' });
  expect(readRoute('#/rooms/a%2Fb?sort=-peers')).toEqual({ place: 'rooms', id: 'a/b', sort: '-peers' });
});
