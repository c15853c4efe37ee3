import { describe, expect, it } from 'vitest';
import { Meter } from './meter.ts';

const entries = (...list: Record<string, unknown>[]) => new Map(list.map((entry) => [entry['id'] as string, entry]));

const pair = (time: number, answers: number) => ({
  id: 'P',
  type: 'candidate-pair',
  availableOutgoingBitrate: 800_000,
  totalRoundTripTime: time,
  responsesReceived: answers,
});
const transport = { id: 'T', type: 'transport', selectedCandidatePairId: 'P' };

const heardLook = (bytes: number, received: number, lost: number, concealed: number, silent: number, samples: number) =>
  entries(
    transport,
    pair(samples / 48_000, samples / 4_800),
    {
      id: 'A',
      type: 'inbound-rtp',
      kind: 'audio',
      bytesReceived: bytes,
      packetsReceived: received,
      packetsLost: lost,
      concealedSamples: concealed,
      silentConcealedSamples: silent,
      totalSamplesReceived: samples,
    },
    {
      id: 'V',
      type: 'inbound-rtp',
      kind: 'video',
      bytesReceived: bytes * 10,
      framesReceived: bytes / 100,
      framesDropped: bytes / 500,
    },
    {
      id: 'O',
      type: 'media-playout',
      totalSamplesDuration: samples / 48_000,
      synthesizedSamplesDuration: concealed / 192_000,
    },
  );

describe('what is measured between two looks', () => {
  it('of what is sent', () => {
    const meter = new Meter();
    const video = { id: 'V', type: 'outbound-rtp', kind: 'video', qualityLimitationReason: 'cpu', mediaSourceId: 'S' };
    const remote = { id: 'R', type: 'remote-inbound-rtp', kind: 'video' };
    const look = (
      bytes: number,
      packets: number,
      delay: number,
      measured: number,
      time: number,
      fractionLost: number,
    ) =>
      entries(
        transport,
        pair(1, 10),
        {
          ...video,
          totalEncodeTime: packets / 250,
          bytesSent: bytes,
          headerBytesSent: bytes / 10,
          packetsSent: packets,
          totalPacketSendDelay: delay,
        },
        // Two layers of one picture take turns.
        { ...video, id: 'W', totalEncodeTime: packets / 250, bytesSent: bytes / 1_000 },
        { ...remote, roundTripTimeMeasurements: measured, totalRoundTripTime: time, fractionLost },
      );
    expect(meter.send(look(10_000, 100, 1, 5, 0.5, 0), 1_000)).toBeUndefined();
    expect(meter.send(look(60_000, 200, 3, 7, 0.62, 0.1), 2_000)).toEqual({
      sentBps: 440_400,
      availableBps: 800_000,
      rttMs: expect.closeTo(60) as number,
      loss: 0.1,
      sendDelayMs: 20,
      pictures: true,
      cpu: true,
      encoding: expect.closeTo(0.8) as number,
    });
    // Nothing new was said of the far end, so its last word is not counted again.
    expect(meter.send(look(60_000, 200, 3, 7, 0.62, 0.1), 3_000)).toMatchObject({
      loss: undefined,
      pictures: false,
      cpu: false,
    });
  });

  it('of what is received, silence not counted as broken', () => {
    const meter = new Meter();
    meter.receive(heardLook(1_000, 50, 0, 0, 0, 48_000), 1_000);
    expect(meter.receive(heardLook(6_000, 90, 10, 9_600, 4_800, 96_000), 2_000)).toEqual({
      receivedBps: 440_000,
      rttMs: expect.closeTo(100) as number,
      rttAgeMs: 0,
      loss: 0.2,
      concealed: 0.1,
      pictures: 1,
      starved: expect.closeTo(0.05) as number,
      late: expect.closeTo(0.2) as number,
    });
  });

  it('is nothing where a browser says nothing, and what is new counts from its first look', () => {
    const meter = new Meter();
    meter.send(entries(), 1_000);
    const fresh = { id: 'V', type: 'outbound-rtp', kind: 'video', bytesSent: 1e9 };
    expect(meter.send(entries(fresh), 2_000)).toMatchObject({
      sentBps: 0,
      availableBps: undefined,
      rttMs: undefined,
      pictures: false,
    });
  });
});
