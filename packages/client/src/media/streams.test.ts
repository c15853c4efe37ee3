import { STREAMS_MAX } from '@veilcast/sframe';
import { Source } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamNumbers, streamsOf } from './streams.ts';

describe('stream numbers', () => {
  it('belong to one source each and fit the field of the KID', () => {
    const all = Source.options.flatMap((source) => streamsOf(source));
    expect(new Set(all).size).toBe(all.length);
    for (const stream of all) expect(stream).toBeLessThan(STREAMS_MAX);
  });

  it('tell the layers of a picture apart and stay with their SSRC', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 4 }), (ssrcs) => {
        const numbers = new StreamNumbers('camera');
        const first = ssrcs.map((ssrc) => numbers.of(ssrc));
        expect(new Set(first).size).toBe(ssrcs.length);
        expect(ssrcs.map((ssrc) => numbers.of(ssrc))).toEqual(first);
      }),
    );
  });

  it('never leave the range of their source, however often an SSRC changes', () => {
    for (const source of Source.options) {
      const numbers = new StreamNumbers(source);
      for (let ssrc = 0; ssrc < 500; ssrc++) expect(streamsOf(source)).toContain(numbers.of(ssrc));
    }
  });
});
