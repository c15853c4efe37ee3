import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TERM_EXPIRY_MS, TERMS_MAX, TermMemory, type AuthorityKind } from './terms.ts';

function accepted(memory: TermMemory, kind: AuthorityKind, roomId: string, term: number, now: number): string {
  try {
    memory.accept(kind, roomId, term, now);
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const effect = fc.record({
  kind: fc.constantFrom('room' as const, 'plan' as const),
  room: fc.constantFrom('a', 'b', 'c'),
  term: fc.nat(6),
  after: fc.oneof(fc.nat(1_000), fc.constant(TERM_EXPIRY_MS), fc.constant(TERM_EXPIRY_MS - 1)),
});

describe('terms', () => {
  test('what is accepted never goes below what was accepted before, for each authority over each Room by itself', () => {
    fc.assert(
      fc.property(fc.array(effect, { maxLength: 60 }), (effects) => {
        const memory = new TermMemory();
        const highest = new Map<string, { term: number; at: number }>();
        let now = 0;
        for (const { kind, room, term, after } of effects) {
          now += after;
          const known = highest.get(`${kind} ${room}`);
          const remembered = known !== undefined && now - known.at < TERM_EXPIRY_MS;
          const stale = remembered && term < known.term;
          expect(accepted(memory, kind, room, term, now)).toBe(stale ? 'STALE_TERM' : 'accepted');
          if (!stale) highest.set(`${kind} ${room}`, { term, at: now });
        }
      }),
    );
  });

  test('a refused effect does not keep an old Term alive', () => {
    const memory = new TermMemory();
    memory.accept('room', 'a', 5, 0);
    expect(accepted(memory, 'room', 'a', 4, TERM_EXPIRY_MS - 1)).toBe('STALE_TERM');
    expect(accepted(memory, 'room', 'a', 4, TERM_EXPIRY_MS)).toBe('accepted');
  });

  test('it is bounded: when full it refuses new Rooms, still serves known ones, and makes place for what has expired', () => {
    const memory = new TermMemory();
    for (let room = 0; room < TERMS_MAX; room++) memory.accept('room', `r${room}`, 1, room === 0 ? 1 : 0);
    expect(accepted(memory, 'room', 'new', 1, 2)).toBe('OVERLOADED');
    expect(accepted(memory, 'room', 'r7', 2, 2)).toBe('accepted');
    expect(memory.size).toBe(TERMS_MAX);
    expect(accepted(memory, 'room', 'new', 1, TERM_EXPIRY_MS + 1)).toBe('accepted');
    expect(memory.size).toBeLessThanOrEqual(TERMS_MAX);
  });
});
