/** What Routers of a real worker take. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { announcedOf, ROUTER_CODECS } from '@veilcast/sfu-node';
import { createWorker, type types } from 'mediasoup';

let worker: types.Worker;
beforeAll(async () => {
  worker = await createWorker({ logLevel: 'none' });
});
afterAll(() => worker?.close());

it('a Router has all codecs, each under a number of its own and where we put it', async () => {
  const { rtpCapabilities } = await worker.createRouter({ mediaCodecs: ROUTER_CODECS });
  const all = (rtpCapabilities.codecs ?? []).filter(({ mimeType }) => !mimeType.endsWith('/rtx'));
  expect(all.map(({ mimeType, preferredPayloadType }) => `${mimeType} ${preferredPayloadType}`)).toEqual([
    'audio/opus 100',
    'video/VP8 101',
    'video/VP9 103',
    'video/H264 105',
    'video/AV1 107',
  ]);
  const numbers = rtpCapabilities.codecs?.map(({ preferredPayloadType }) => preferredPayloadType);
  expect(new Set(numbers).size).toBe(9);
});

const extensionsOf = (mimeType: string) => {
  const codecs = [{ mimeType, payloadType: 107, clockRate: 90_000 }];
  return announcedOf(announcedOf({ codecs, headerExtensions: [] })).headerExtensions ?? [];
};

it('the dependency descriptor that is announced for AV1, and AV1 alone, is the one that the worker sends', async () => {
  const { rtpCapabilities } = await worker.createRouter({ mediaCodecs: ROUTER_CODECS });
  const uri = /dependency-descriptor/;
  const known = rtpCapabilities.headerExtensions?.find((each) => uri.test(each.uri));
  expect(extensionsOf('video/AV1')).toEqual([
    { uri: known?.uri, id: known?.preferredId, encrypt: false, parameters: {} },
  ]);
  for (const mimeType of ['video/VP8', 'video/VP9', 'video/H264', 'audio/opus'])
    expect(extensionsOf(mimeType)).toEqual([]);
});

/** Why `opus/red` is not offered (ADR 0017). When this fails, mediasoup has learnt it. */
it('a Router refuses audio/red', async () => {
  const red = { kind: 'audio', mimeType: 'audio/red', clockRate: 48_000, channels: 2 } as const;
  await expect(worker.createRouter({ mediaCodecs: [...ROUTER_CODECS, red] })).rejects.toThrow('audio/red');
});
