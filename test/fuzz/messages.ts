/** What clients and signaling, operators and signaling, and services say to each other. */
import { callBody, decodeFrame, eventOf, wire } from '@veilcast/control';
import { ClusterError, parseEvent, parseRequest, parseWith, Picture, PROTOCOL_VERSION } from '@veilcast/protocol';
import { create, toBinary } from '@bufbuild/protobuf';
import { NONE, type Target, type Verdict } from './target.ts';

const decoder = new TextDecoder();
const revive = (_: string, value: unknown) =>
  typeof value === 'string' && value.startsWith('bytes:') ? Uint8Array.from(Buffer.from(value.slice(6), 'hex')) : value;

/** Bytes inside of JSON, for the fields that are bytes on the socket. */
function read(input: Uint8Array): unknown {
  const text = decoder.decode(input);
  try {
    return JSON.parse(text, text.includes('bytes:') ? revive : undefined);
  } catch {
    return text;
  }
}

const write = (value: unknown): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify(value, (_, each: unknown) =>
      each instanceof Uint8Array ? `bytes:${Buffer.from(each).toString('hex')}` : each,
    ),
  );

function json(name: string, values: readonly unknown[], parse: (raw: unknown) => unknown): Target {
  return {
    name,
    accepts: 'a value that says the same again',
    seeds: values.map(write),
    take(input): Verdict {
      try {
        const value = parse(read(input));
        const text = JSON.stringify(value);
        return JSON.stringify(parse(read(write(value)))) === text ? 'taken' : { wrong: 'says something else again' };
      } catch (thrown) {
        if (!(thrown instanceof ClusterError)) throw thrown;
        const known = thrown.code === 'MALFORMED' || thrown.code === 'UNSUPPORTED';
        if (!known) return { wrong: `refused with ${thrown.code}` };
        return thrown.message.length < 300 ? { refused: thrown.code } : { wrong: 'an error as long as the input' };
      }
    },
  };
}

const bytes = Uint8Array.of(1, 2, 3, 4);
const rtp = { codecs: [{ mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000 }], encodings: [{ ssrc: 7 }] };
const REQUESTS: readonly (readonly [string, unknown])[] = [
  [
    'join',
    {
      version: PROTOCOL_VERSION,
      token: 'a.b.c',
      leafKey: 'B'.repeat(43),
      device: bytes,
      probes: [{ region: 'eu', rttMs: 12 }],
    },
  ],
  ['knock', { name: 'somebody' }],
  ['produce', { kind: 'audio', source: 'microphone', rtpParameters: rtp, paused: false }],
  ['consume', { producerIds: ['p-1', 'p-2'], rtpCapabilities: { codecs: [] } }],
  ['showTiles', { tiles: [] }],
  ['groupCommit', { epoch: 3, ticket: 1, commit: bytes, groupInfo: bytes, removes: ['peer-1'] }],
  ['groupMessage', { epoch: 3, sealed: bytes }],
  ['groupRejoin', {}],
  ['setLocked', { locked: true }],
  ['kick', { peerId: 'peer-1' }],
  ['leave', {}],
];
const EVENTS: readonly (readonly [string, unknown])[] = [
  ['peerLeft', { peerId: 'peer-1', reason: 'lost' }],
  ['peerRole', { peerId: 'peer-1', role: 'host' }],
  ['producerClosed', { peerId: 'peer-1', producerId: 'p-1' }],
  ['groupCommit', { epoch: 3, sender: 'peer-1', commit: bytes, removes: [] }],
  ['groupJoin', { ticket: 1, epoch: 3, groupInfo: bytes }],
  ['groupRemove', { epoch: 3, peers: ['peer-1'] }],
  ['groupMessage', { epoch: 3, sender: 'peer-1', sealed: bytes }],
];

export const requestTarget = (): Target =>
  json(
    'client request',
    REQUESTS.map(([name, body], index) => ({ id: index + 1, name, body })),
    parseRequest,
  );

export const eventTarget = (): Target =>
  json(
    'event',
    EVENTS.map(([name, body], index) => ({ seq: index + 1, name, body })),
    parseEvent,
  );

export const pictureTarget = (): Target => {
  const worker = { workerId: 'w', cpu: 0.5, routers: 1, transports: 2, producers: 3, consumers: 4, reserved: 0.1 };
  const signaling = { processId: 's', sockets: 1, rooms: 0 };
  const node = { nodeId: 'eu-1', region: 'eu', state: 'healthy', incarnation: 'i', upSince: 5, workers: [worker] };
  const picture = { at: 1, cluster: 'c', state: 'ready', nodes: [], rooms: [], pipes: [], signaling: [signaling] };
  return json('operator picture', [{ ...picture, nodes: [node] }, picture], (raw) => parseWith(Picture, raw));
};

function frame(kind: unknown): Uint8Array {
  return toBinary(wire.FrameSchema, create(wire.FrameSchema, { kind } as never));
}

/** Protobuf has many encodings of one message and keeps what it does not know: nothing but its fields may be read from it. */
export const controlTarget = (): Target => {
  const request = (name: string, fields: unknown): Uint8Array =>
    frame({
      case: 'request',
      value: {
        id: 7n,
        roomId: 'demo',
        term: 3n,
        call: { case: name, value: callBody(name as never, fields as never) },
      },
    });
  const seeds = [
    request('openPeer', { peerId: 'peer-1' }),
    request('place', { peerId: 'peer-1', role: 'host', region: 'eu' }),
    request('closeRoom', {}),
    frame({ case: 'ping', value: {} }),
    frame({ case: 'event', value: { kind: eventOf('peerGone', { peerId: 'peer-1', roomId: 'demo' }) } }),
  ].filter((seed) => decodeFrame(seed) !== undefined);
  if (seeds.length < 3) throw new Error('no frames to start from');
  return {
    name: 'control frame',
    accepts: 'a message that says the same again',
    seeds,
    take(input) {
      const kind = decodeFrame(input);
      if (kind === undefined) return NONE;
      const again = decodeFrame(frame(kind));
      return again?.case === kind.case ? 'taken' : { wrong: 'says something else again' };
    },
  };
};
