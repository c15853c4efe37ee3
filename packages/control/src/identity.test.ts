import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Identity, identityOf, identityUri } from './identity.ts';

const word = (pattern: RegExp) => fc.stringMatching(pattern);
const identity = fc.record({
  cluster: word(/^[a-z0-9][a-z0-9-]{0,20}[a-z0-9]$/),
  kind: fc.constantFrom('signaling', 'sfu-node', 'cascade-router'),
  region: word(/^[a-z][a-z0-9-]{0,20}$/),
  processId: word(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,40}$/),
});

test('what is written is read, and nothing else is read as it', () => {
  fc.assert(
    fc.property(identity, (one) => {
      const parsed = Identity.parse(one);
      expect(identityOf(identityUri(parsed))).toEqual(parsed);
    }),
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        identity.map((one) => `${identityUri(Identity.parse(one))}x/`),
      ),
      (text) => {
        const read = identityOf(text);
        if (read !== undefined) expect(identityUri(read)).toBe(text);
      },
    ),
  );
});

test.each([
  'veilcast://c/signaling/eu',
  'veilcast://c/signaling/eu/s1/',
  'veilcast://c/signaling/eu/s1/x',
  'veilcast://c/signaling/eu/s%31',
  'veilcast://c/signaling/EU/s1',
  'veilcast://C/signaling/eu/s1',
  'veilcast://c/operator/eu/s1',
  'veilcast://c/signaling/eu/..',
  'veilcast://c:1/signaling/eu/s1',
  'spiffe://c/signaling/eu/s1',
  ' veilcast://c/signaling/eu/s1',
  'veilcast://c/signaling/eu/s1\n',
  '',
])('%j names nobody', (uri) => expect(identityOf(uri)).toBeUndefined());
