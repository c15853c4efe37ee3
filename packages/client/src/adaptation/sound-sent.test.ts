import { expect, it } from 'vitest';
import { soundSent } from './sound-sent.ts';

const entries = (sdpFmtpLine: string, mimeType = 'audio/opus') =>
  new Map<string, object>([
    ['V', { type: 'outbound-rtp', kind: 'video', codecId: 'P' }],
    ['A', { type: 'outbound-rtp', kind: 'audio', codecId: 'C', targetBitrate: 24_000 }],
    ['C', { type: 'codec', mimeType, sdpFmtpLine }],
  ]);

it('is what was negotiated, not what was asked for', () => {
  const usual = 'maxaveragebitrate=40000;minptime=10;usedtx=1;useinbandfec=1';
  expect(soundSent(entries(usual))).toEqual({ fec: true, dtx: true, red: false, bps: 24_000 });
  expect(soundSent(entries('minptime=10;useinbandfec=0'))).toMatchObject({ fec: false, dtx: false });
  expect(soundSent(entries('111/111', 'audio/red'))).toMatchObject({ fec: false, red: true });
});

it('is nothing where nothing is sent, or nobody says how', () => {
  expect(soundSent(new Map())).toBeUndefined();
  expect(soundSent(new Map([['A', { type: 'outbound-rtp', kind: 'audio' }]]))).toBeUndefined();
});
