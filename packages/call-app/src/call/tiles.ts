/** From the call's snapshot and the local media to what the stage shows: one tile a person, and the shared screens. Pure. */
import type { CallSnapshot, Person, RemoteTrack, TrackLock, VideoState } from '@veilcast/client';
import type { ProducerId, Source } from '@veilcast/protocol';
import type { LocalState } from '../media/local.ts';

/** The place of one's own tile; no peer id looks like it. */
export const SELF = '(self)';

export interface TileModel {
  readonly id: string;
  readonly peerId: string;
  /** Empty while it has not come. */
  readonly name: string;
  readonly self: boolean;
  readonly kind: 'person' | 'screen';
  readonly video: MediaStreamTrack | undefined;
  readonly state: VideoState;
  readonly producerId: ProducerId | undefined;
  readonly microphone: boolean;
  readonly level: number;
  readonly hand: boolean;
  /** Whether what comes from them can be opened. Undefined: nothing comes, or it is ourselves. */
  readonly lock: TrackLock | undefined;
}

function trackOf(person: Person, source: Source): RemoteTrack | undefined {
  return person.tracks.find((track) => track.source === source);
}

function videoState(track: RemoteTrack | undefined): VideoState {
  // A picture that is kept back is shown as none: initials, and no word of waiting.
  if (!track || track.muted || track.held) return 'muted';
  return track.state;
}

/** What fails is told, whatever else opens; and one that opens is enough to say that they have our keys and we theirs. */
function lockOf(tracks: readonly (RemoteTrack | undefined)[]): TrackLock | undefined {
  const locks = tracks.flatMap((track) => (track && !track.muted ? [track.lock] : []));
  if (locks.includes('failed')) return 'failed';
  return locks.includes('encrypted') ? 'encrypted' : locks[0];
}

function personTile(person: Person): TileModel {
  const camera = trackOf(person, 'camera');
  const microphone = trackOf(person, 'microphone');
  return {
    id: person.peerId,
    peerId: person.peerId,
    name: person.name,
    self: false,
    kind: 'person',
    video: camera?.track,
    state: videoState(camera),
    producerId: camera?.producerId,
    microphone: microphone !== undefined && !microphone.muted,
    level: person.level,
    hand: person.handRaised,
    lock: lockOf([camera, microphone]),
  };
}

/** One's own tile; a viewer, who sends nothing, has none. */
export function selfTile(snapshot: CallSnapshot, local: LocalState): TileModel | undefined {
  const { self } = snapshot;
  if (self.role === 'viewer') return undefined;
  const live = local.camera.on && local.camera.track !== undefined;
  return {
    id: SELF,
    peerId: self.peerId,
    name: self.name,
    self: true,
    kind: 'person',
    video: live ? local.camera.track : undefined,
    state: live ? 'live' : 'muted',
    producerId: undefined,
    microphone: local.microphone.on,
    level: 0,
    hand: self.handRaised,
    lock: undefined,
  };
}

/** Viewers publish nothing, so they have no tile; the people panel names them. */
export function peopleTiles(snapshot: CallSnapshot): TileModel[] {
  return snapshot.people.filter(({ role, tracks }) => role !== 'viewer' || tracks.length > 0).map(personTile);
}

export function screenTiles(snapshot: CallSnapshot): TileModel[] {
  return snapshot.people.flatMap((person) => {
    const screen = trackOf(person, 'screen');
    if (!screen || screen.muted) return [];
    const tile: TileModel = {
      ...personTile(person),
      id: `${person.peerId} screen`,
      kind: 'screen',
      video: screen.track,
      state: screen.state,
      producerId: screen.producerId,
      level: 0,
      hand: false,
      lock: screen.lock,
    };
    return [tile];
  });
}

/** Whether most cameras send wide pictures; unknown ones count as wide, since most are. */
export function mostlyWide(tiles: readonly TileModel[]): boolean {
  const narrow = tiles.filter(({ video }) => {
    const { width, height } = video?.getSettings() ?? {};
    return width !== undefined && height !== undefined && height > 0 && width / height < 1.5;
  });
  return narrow.length * 2 <= tiles.length;
}
