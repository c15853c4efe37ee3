import { describe, expect, it } from 'vitest';
import { receivedOf, transportOf } from './stats.ts';

const entries = (...list: Record<string, unknown>[]) => new Map(list.map((entry) => [entry['id'] as string, entry]));

describe('what is read of RTCStatsReports', () => {
  it('is the protocol of the pair in use, in Chromium’s form and in Firefox’s', () => {
    const local = { id: 'L', type: 'local-candidate', protocol: 'tcp' };
    const other = { id: 'M', type: 'local-candidate', protocol: 'udp' };
    const pair = { id: 'P', type: 'candidate-pair', localCandidateId: 'L' };
    const spare = { id: 'Q', type: 'candidate-pair', localCandidateId: 'M' };
    const transport = { id: 'T', type: 'transport', selectedCandidatePairId: 'P' };
    expect(transportOf(entries(other, spare, local, pair, transport))).toBe('tcp');
    expect(transportOf(entries(other, spare, local, { ...pair, selected: true }))).toBe('tcp');
    expect(transportOf(entries(other, spare))).toBe('');
  });

  it('is a figure of every received track, in the units of the report', () => {
    const report = entries(
      { id: 'C', type: 'codec', mimeType: 'video/VP8' },
      {
        id: 'I',
        type: 'inbound-rtp',
        trackIdentifier: 'track',
        codecId: 'C',
        framesDecoded: 30,
        frameWidth: 640,
        frameHeight: 360,
        framesPerSecond: 29.7,
        totalFreezesDuration: 0.25,
        packetsReceived: 400,
        concealedSamples: 4_800,
      },
    );
    expect(receivedOf(report).get('track')).toEqual({
      framesDecoded: 30,
      width: 640,
      height: 360,
      fps: 30,
      codec: 'VP8',
      frozenMs: 250,
      packetsReceived: 400,
      concealedMs: 100,
    });
  });

  it('is zero where a browser says nothing or nonsense', () => {
    const report = entries({ id: 'I', type: 'inbound-rtp', trackIdentifier: 't', framesDecoded: Number.NaN });
    expect(receivedOf(report).get('t')).toMatchObject({ framesDecoded: 0, codec: '', frozenMs: 0 });
  });
});
