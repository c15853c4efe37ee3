import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHAT_MAX, decodeTalk, encodeTalk, type Talk } from './profile.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

const talk: fc.Arbitrary<Talk> = fc.oneof(
  fc.record({ kind: fc.constant('profile' as const), name: fc.string({ maxLength: 64 }), handRaised: fc.boolean() }),
  fc.record({
    kind: fc.constant('chat' as const),
    id: fc.string({ minLength: 1, maxLength: 64 }),
    text: fc.string({ minLength: 1, maxLength: CHAT_MAX, unit: 'grapheme' }).filter((text) => text.length <= CHAT_MAX),
    at: fc.nat(),
  }),
);

describe('messages between members', () => {
  it('come out as they went in', () => {
    fc.assert(
      fc.property(talk, (said) => {
        expect(decodeTalk(encodeTalk(said))).toEqual({ outcome: 'heard', talk: said });
      }),
    );
  });

  it('never throw, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        expect(decodeTalk(noise).outcome).not.toBe('heard');
      }),
    );
  });

  it.each([
    ['a name too long', { kind: 'profile', name: 'x'.repeat(65), handRaised: false }],
    ['a hand that is no boolean', { kind: 'profile', name: 'Ada', handRaised: 1 }],
    ['a field too many', { kind: 'profile', name: 'Ada', handRaised: false, admin: true }],
    ['an empty line', { kind: 'chat', id: 'a', text: '', at: 1 }],
    ['a line too long', { kind: 'chat', id: 'a', text: 'x'.repeat(CHAT_MAX + 1), at: 1 }],
    ['a line without an id', { kind: 'chat', id: '', text: 'hello', at: 1 }],
    ['a time before time', { kind: 'chat', id: 'a', text: 'hello', at: -1 }],
    ['a time that is no whole number', { kind: 'chat', id: 'a', text: 'hello', at: 0.5 }],
    ['a list', []],
    ['null', null],
    ['no kind', { name: 'Ada' }],
    ['a kind that is no text', { kind: 5 }],
  ])('refuse %s', (_, value) => {
    expect(decodeTalk(bytes(value))).toEqual({ outcome: 'malformed' });
  });

  it('leave a later version’s kinds alone', () => {
    expect(decodeTalk(bytes({ kind: 'poll', question: '?' }))).toEqual({ outcome: 'unknown' });
  });

  it('refuse what is too large before parsing it, and what is not UTF-8', () => {
    expect(decodeTalk(new Uint8Array(40_000).fill(0x20))).toEqual({ outcome: 'malformed' });
    expect(decodeTalk(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({ outcome: 'malformed' });
  });
});
