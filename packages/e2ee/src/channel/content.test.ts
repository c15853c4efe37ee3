import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeContent, encodeContent } from './content.ts';

const codeOf = (content: Uint8Array): unknown => {
  try {
    decodeContent(content);
    return 'taken';
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

function content(json: string, parts: readonly number[] = []): Uint8Array {
  const text = new TextEncoder().encode(json);
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, text.length);
  return Uint8Array.of(...head, ...text, ...parts);
}

const nested = (depth: number) => content(`${'['.repeat(depth)}{"$bytes":[0,1]}${']'.repeat(depth)}`, [7]);
const innermost = (value: unknown): unknown => (Array.isArray(value) ? innermost(value[0]) : value);

describe('the content of a record', () => {
  it('is what was put in, bytes at any place', () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.uint8Array({ maxLength: 40 }));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value')), fc.dictionary(fc.string(), tie('value'))),
    }));
    fc.assert(
      fc.property(value, (message) => {
        expect(decodeContent(encodeContent(message))).toEqual(message);
      }),
    );
  });

  it('takes Buffers and ArrayBuffers, also views into the middle of something', () => {
    const whole = Buffer.from('before, middle, after');
    const message = { a: whole.subarray(8, 14), b: Uint8Array.of(1, 2).buffer };
    expect(decodeContent(encodeContent(message))).toEqual({
      a: new Uint8Array(Buffer.from('middle')),
      b: Uint8Array.of(1, 2),
    });
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['less than it says', content('{}').subarray(0, 5)],
    ['no JSON', content('{')],
    ['no UTF-8', Uint8Array.of(0, 0, 0, 1, 0xff)],
    ['bytes beyond the end', content('{"$bytes":[0,3]}', [1, 2])],
    ['bytes before the start', content('{"$bytes":[-1,1]}', [1, 2])],
    ['bytes of no size', content('{"$bytes":[0,0.5]}', [1, 2])],
    ['bytes of too many numbers', content('{"$bytes":[0,1,2]}', [1, 2])],
  ])('is refused with %s', (_what, bytes) => {
    expect(codeOf(bytes)).toBe('MALFORMED');
  });

  it('is looked for bytes so deep and no deeper, and nesting without end overflows nothing', () => {
    expect(innermost(decodeContent(nested(32)))).toEqual(Uint8Array.of(7));
    expect(innermost(decodeContent(nested(33)))).toEqual({ $bytes: [0, 1] });
    expect(codeOf(nested(50_000))).toBe('taken');
  });

  it('knows no names that are special elsewhere', () => {
    const decoded = decodeContent(content('{"a":{"$bytes":[0,1]},"__proto__":{"b":1}}', [7])) as object;
    expect(Object.keys(decoded)).toEqual(['a', '__proto__']);
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  });

  it('never throws anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(['taken', 'MALFORMED']).toContain(codeOf(bytes));
      }),
    );
  });
});
