import type { types } from 'mediasoup-client';
import { expect, test } from 'vitest';
import { remembering } from './browser-media.ts';

const NOTHING: types.RtpCapabilities = { codecs: [], headerExtensions: [] };

function browser(fail = 0): { readonly asked: string[]; readonly factory: types.HandlerFactory } {
  const asked: string[] = [];
  const factory: types.HandlerFactory = {
    name: 'Test',
    factory: () => {
      throw new TypeError('no handler is made here');
    },
    getNativeRtpCapabilities: async ({ direction }) => {
      asked.push(direction);
      if (asked.length <= fail) throw new TypeError('not now');
      return NOTHING;
    },
  };
  return { asked, factory };
}

test('each direction is asked once', async () => {
  const { asked, factory } = browser();
  const media = remembering(factory);
  await Promise.all([
    media.getNativeRtpCapabilities({ direction: 'sendonly' }),
    media.getNativeRtpCapabilities({ direction: 'sendonly' }),
    media.getNativeRtpCapabilities({ direction: 'recvonly' }),
  ]);
  expect(await media.getNativeRtpCapabilities({ direction: 'recvonly' })).toBe(NOTHING);
  expect(asked).toEqual(['sendonly', 'recvonly']);
});

test('what failed is asked again', async () => {
  const { asked, factory } = browser(1);
  const media = remembering(factory);
  await expect(media.getNativeRtpCapabilities({ direction: 'sendonly' })).rejects.toThrow('not now');
  expect(await media.getNativeRtpCapabilities({ direction: 'sendonly' })).toBe(NOTHING);
  expect(asked).toHaveLength(2);
});
