import { callBody, jsonOf } from '@veilcast/control';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CALLS, isNodeCall, type NodeCall } from './calls.ts';

const names = Object.keys(CALLS) as NodeCall[];

/** Whether the schema takes it; anything thrown by it but a refusal is a bug. */
function takes(name: NodeCall, fields: unknown): boolean {
  try {
    return CALLS[name].safeParse(fields).success;
  } catch (error) {
    if ((error as { code?: string }).code === 'MALFORMED' || (error as { code?: string }).code === 'OVERSIZE')
      return false;
    throw error;
  }
}

const junk = fc.oneof(
  fc.anything(),
  fc.string(),
  fc.double(),
  fc.constant('__proto__'),
  fc.record({ text: fc.string() }),
);

describe('calls', () => {
  test('no message, however wrong, does anything but be refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.dictionary(fc.string(), junk), (name, fields) => {
        takes(name, fields);
      }),
    );
  });

  test('an empty message is refused by every call that names something', () => {
    for (const name of names)
      expect(takes(name, callBody(name, {})), name).toBe(['closeRoom', 'listenVoices'].includes(name));
  });

  test.each([
    ['openPeer', { peerId: 'p', workerId: 'eu-1/0' }, { peerId: '../x', workerId: 'eu-1/0' }],
    ['closePeer', { peerId: 'p' }, { peerId: 'p'.repeat(65) }],
    ['setLayers', { consumerId: 'c', spatial: 2, temporal: 1 }, { consumerId: 'c', spatial: 8, temporal: 1 }],
    ['pauseConsumers', { consumerIds: ['c'], paused: true }, { consumerIds: Array(257).fill('c'), paused: true }],
    [
      'connectTransport',
      {
        peerId: 'p',
        transportId: 't',
        dtlsParameters: jsonOf({ role: 'client', fingerprints: [{ algorithm: 'sha-256', value: 'AB' }] }),
      },
      { peerId: 'p', transportId: 't', dtlsParameters: { text: '{"role":' } },
    ],
    [
      'connectPipe',
      {
        pipeId: 'a>b',
        ip: '10.0.0.1',
        port: 4000,
        srtpParameters: jsonOf({ cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: 'AAAA' }),
      },
      {
        pipeId: 'a>b',
        ip: 'host.example',
        port: 4000,
        srtpParameters: jsonOf({ cryptoSuite: 'AES_CM_128_HMAC_SHA1_80', keyBase64: 'AAAA' }),
      },
    ],
    [
      'produce',
      { peerId: 'p', producerId: 'x', kind: 'audio', rtpParameters: jsonOf({}), paused: false },
      { peerId: 'p', producerId: 'x', kind: 'text', rtpParameters: jsonOf({}) },
    ],
    [
      'receiveOnPipe',
      { pipeId: 'a>b', producerId: 'x', kind: 'video', rtpParameters: jsonOf({}), path: ['eu-1'] },
      { pipeId: 'a>b', producerId: 'x', kind: 'video', rtpParameters: jsonOf({}), path: [] },
    ],
  ] as const)('%s takes what is right and refuses what is not', (name, right, wrong) => {
    expect(isNodeCall(name)).toBe(true);
    expect(takes(name, callBody(name, right as never))).toBe(true);
    expect(takes(name, callBody(name, wrong as never))).toBe(false);
  });

  test('JSON beyond its limit is refused', () => {
    const rtpCapabilities = jsonOf({ codecs: 'x'.repeat(70_000) });
    expect(takes('consume', callBody('consume', { peerId: 'p', producerId: 'x', rtpCapabilities }))).toBe(false);
  });
});
