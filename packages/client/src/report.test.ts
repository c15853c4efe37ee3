import type { ConsumerId, PeerId, RegionId, Source } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import type { CallSnapshot, Person } from './call.ts';
import { NO_AUDIO, NO_VIDEO } from './media/stats.ts';
import { callReport, type ReceivedMedia } from './report.ts';
import { emptySnapshot } from './snapshot.ts';

const bob: Person = { peerId: 'bob' as PeerId, name: 'Bob', role: 'speaker', handRaised: false, level: 0, tracks: [] };

function snapshotOf(people: readonly Person[]): CallSnapshot {
  const empty = emptySnapshot('Ada');
  const self = {
    ...empty.self,
    peerId: 'ada' as PeerId,
    role: 'host' as const,
    region: 'eu' as RegionId,
    node: 'eu-1',
  };
  const encryption = { ...empty.encryption, state: 'encrypted' as const, suite: 'S', epoch: 3, code: '12345' };
  return { ...empty, state: 'joined', room: 'demo', self, people, encryption };
}

const media = (source: Source, framesDecoded: number): ReceivedMedia => ({
  consumerId: `c-${source}` as ConsumerId,
  peerId: bob.peerId,
  source,
  layer: 'S2T1',
  path: ['eu-1', 'us-1'],
  direct: false,
  stats: { ...NO_VIDEO, ...NO_AUDIO, framesDecoded, packetsReceived: framesDecoded * 2 },
});

/** Every key of the shape that DESIGN §11 fixes, as dotted paths; list items under `[]`. */
function keysOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.length > 0 ? keysOf(value[0], `${path}[]`) : [path];
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, inner]) => keysOf(inner, path === '' ? key : `${path}.${key}`));
}

function framesOf(received: ReceivedMedia[]): number | undefined {
  const report = callReport({ snapshot: snapshotOf([bob]), transport: '', joinMs: null, adaptation: null, received });
  return report.peers[0]?.video.framesDecoded;
}

describe('the report', () => {
  it('has the keys that people build on, and no others', () => {
    const report = callReport({
      snapshot: snapshotOf([bob]),
      transport: 'udp',
      joinMs: 640,
      adaptation: null,
      received: [media('camera', 10), media('microphone', 20)],
    });
    expect(keysOf({ ...report, e2ee: { ...report.e2ee, failures: 0 } }).sort()).toEqual(
      [
        'room',
        ...['peerId', 'name', 'role', 'region', 'node', 'transport', 'joinMs'].map((key) => `self.${key}`),
        ...['peerId', 'name', 'role'].map((key) => `peers[].${key}`),
        ...['framesDecoded', 'width', 'height', 'fps', 'codec', 'layer', 'frozenMs'].map(
          (key) => `peers[].video.${key}`,
        ),
        ...['packetsReceived', 'concealedMs'].map((key) => `peers[].audio.${key}`),
        'peers[].path[]',
        ...['state', 'suite', 'epoch', 'members', 'code', 'framesSealed', 'framesOpened', 'failures'].map(
          (key) => `e2ee.${key}`,
        ),
        'adaptation',
      ].sort(),
    );
    expect(report.peers[0]).toMatchObject({ video: { framesDecoded: 10 }, audio: { packetsReceived: 40 } });
    expect(report.peers[0]?.path).toEqual(['eu-1', 'us-1']);
  });

  it('says which path media goes by once there is one', () => {
    const path = { kind: 'relay-tls' as const, rttMs: 31, server: 'turns:turn.example.org:443?transport=tcp' };
    const report = callReport({ snapshot: snapshotOf([bob]), transport: 'udp', path, joinMs: null, received: [] });
    expect(report.self).toMatchObject({ transport: 'udp', path });
  });

  it('says zero of somebody who sends nothing, and survives JSON', () => {
    const report = callReport({
      snapshot: snapshotOf([bob]),
      transport: '',
      joinMs: null,
      adaptation: null,
      received: [],
    });
    expect(report.peers[0]?.video.framesDecoded).toBe(0);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it('shows the screen of somebody without a camera, and the camera of somebody with both', () => {
    expect(framesOf([media('screen', 7)])).toBe(7);
    expect(framesOf([media('screen', 7), media('camera', 9)])).toBe(9);
  });
});
