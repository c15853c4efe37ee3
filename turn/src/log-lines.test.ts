import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LINE_MAX, readLogLine } from './log-lines.ts';

/** Lines of coturn 4.6.1 as it wrote them. */
const NOW = 1_795_367_100_000;
const read = (line: string) => readLogLine(line, NOW);
const S = '4: : session 000000000000000001: ';

describe('the log of coturn', () => {
  it('tells of allocations and what they relayed', () => {
    expect(read(`${S}new, realm=<veilcast>, username=<1795367356:ada>, lifetime=600`)).toEqual({
      kind: 'opened',
      session: '000000000000000001',
    });
    expect(read(`${S}delete: realm=<veilcast>, username=<1795367356:ada>`)).toMatchObject({ kind: 'closed' });
    expect(read(`${S}usage: realm=<veilcast>, username=<1:a>, rp=2048, rb=278188, sp=6, sb=500`)).toEqual({
      kind: 'relayed',
      side: 'clients',
      traffic: { receivedPackets: 2_048, receivedBytes: 278_188, sentPackets: 6, sentBytes: 500 },
    });
    expect(read(`${S}peer usage: realm=<veilcast>, username=<1:a>, rp=0, rb=0, sp=2042, sb=204200`)).toMatchObject({
      side: 'peers',
      traffic: { sentPackets: 2_042 },
    });
  });

  it.each([
    ['credential', '1795367356:ada', '401: Unauthorized'],
    ['expired', '1795367046:bob', '401: Unauthorized'],
    ['nonce', '1795367356:ada', '438: Wrong nonce'],
    ['quota', '1795367456:ada', '486: Allocation Quota Reached'],
    ['peer', '1795367356:ada', '403: Forbidden IP'],
    ['other', '1795367356:ada', '437: Wrong TCP connection'],
  ])('tells of a refusal, and why: %s', (reason, user, error) => {
    const line = `${S}realm <veilcast> user <${user}>: incoming packet message processed, error ${error}`;
    expect(read(line)).toEqual({ kind: 'refused', reason });
    // The same refusal in other words is not another one.
    expect(read(line.replace('message', 'ALLOCATE'))).toBeUndefined();
  });

  it('does not take the question for a credential for a refusal', () => {
    expect(
      read(`${S}realm <veilcast> user <>: incoming packet message processed, error 401: Unauthorized`),
    ).toBeUndefined();
  });

  it('tells nothing of any other line, however it is made', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(read(text)).toBeUndefined();
        expect(['undefined', 'object']).toContain(typeof read(S + text));
      }),
    );
    expect(read(`${S}new, realm=${'x'.repeat(LINE_MAX)}`)).toBeUndefined();
  });
});
