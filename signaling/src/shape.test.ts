import { ClusterError, COMMIT_MAX, GROUP_INFO_MAX, SEALED_MAX } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkShape } from './shape.ts';

function codeOf(name: string, body: unknown): string {
  try {
    checkShape(name, body);
    return 'ok';
  } catch (error) {
    return ClusterError.of(error).code;
  }
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

test('the largest allowed Commit and sealed message pass, a byte-heavy one of another name does not', () => {
  const commit = { epoch: 1, commit: new Uint8Array(COMMIT_MAX), groupInfo: new Uint8Array(GROUP_INFO_MAX) };
  expect(codeOf('groupCommit', commit)).toBe('ok');
  expect(codeOf('groupMessage', { epoch: 1, sealed: new Uint8Array(SEALED_MAX) })).toBe('ok');
  expect(codeOf('groupMessage', { epoch: 1, sealed: new Uint8Array(2 * SEALED_MAX) })).toBe('OVERSIZE');
  expect(codeOf('knock', { name: 'x'.repeat(10_000) })).toBe('OVERSIZE');
});

test('depth is bounded without recursion', () => {
  expect(codeOf('produce', nested(10))).toBe('ok');
  expect(codeOf('produce', nested(1_000_000))).toBe('MALFORMED');
});

test('width is bounded', () => {
  expect(
    codeOf(
      'produce',
      Array.from({ length: 100_000 }, () => 0),
    ),
  ).toBe('OVERSIZE');
});

test('whatever JSON comes, it passes or is refused with a code', () => {
  fc.assert(
    fc.property(fc.string(), fc.jsonValue(), (name, body) => {
      expect(['ok', 'MALFORMED', 'OVERSIZE']).toContain(codeOf(name, body));
    }),
  );
});
