/** `call.report()`: the JSON of DESIGN §11, the same object as "copy diagnostics" of the call page. Pure. */
import type { ConsumerId, PeerId } from '@veilcast/protocol';
import type { AdaptationReport } from './adaptation/steering.ts';
import type { CallReport, CallSnapshot, PeerReport, Person } from './call.ts';
import type { MediaPath } from './network/path.ts';
import { NO_AUDIO, NO_VIDEO, type AudioStats, type VideoStats } from './media/stats.ts';

/** What the media side knows of one consumed Producer. */
export interface ReceivedMedia {
  readonly consumerId: ConsumerId;
  readonly peerId: PeerId;
  readonly source: string;
  readonly layer: string;
  readonly path: readonly string[];
  readonly direct: boolean;
  readonly stats: VideoStats & AudioStats;
}

export interface ReportInput {
  readonly snapshot: CallSnapshot;
  readonly transport: string;
  readonly path?: MediaPath | undefined;
  readonly joinMs: number | null;
  readonly received: readonly ReceivedMedia[];
  readonly adaptation: AdaptationReport | null;
}

export function callReport({ snapshot, transport, path, joinMs, received, adaptation }: ReportInput): CallReport {
  const { self, encryption } = snapshot;
  return {
    room: snapshot.room,
    self: {
      peerId: self.peerId,
      name: self.name,
      role: self.role,
      region: self.region,
      node: self.node,
      transport,
      joinMs,
      ...(path === undefined ? {} : { path }),
    },
    peers: snapshot.people.map((person) => peerReport(person, received)),
    e2ee: {
      state: encryption.state,
      suite: encryption.suite,
      epoch: encryption.epoch,
      members: encryption.members.length,
      code: encryption.code,
      framesSealed: encryption.framesSealed,
      framesOpened: encryption.framesOpened,
      failures: encryption.failures,
    },
    adaptation,
  };
}

/** Camera before screen, microphone before screen sound: a peer has one line of each. */
function peerReport(person: Person, received: readonly ReceivedMedia[]): PeerReport {
  const of = (...sources: readonly string[]) =>
    sources
      .map((source) => received.find((media) => media.peerId === person.peerId && media.source === source))
      .find((media) => media !== undefined);
  const video = of('camera', 'screen');
  const audio = of('microphone', 'screen-audio');
  const { framesDecoded, width, height, fps, codec, frozenMs } = video?.stats ?? NO_VIDEO;
  const { packetsReceived, concealedMs } = audio?.stats ?? NO_AUDIO;
  return {
    peerId: person.peerId,
    name: person.name,
    role: person.role,
    video: { framesDecoded, width, height, fps, codec, layer: video?.layer ?? '', frozenMs },
    audio: { packetsReceived, concealedMs },
    path: video?.path ?? audio?.path ?? [],
    ...((video ?? audio)?.direct === true ? { direct: true } : {}),
  };
}
