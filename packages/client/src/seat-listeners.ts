/** What a Seat tells the call that has it. */
import type { Admission, AnyEvent, ClusterError, PeerId, Place, Source } from '@veilcast/protocol';
import type { MemberIdentity } from '@veilcast/e2ee/identity';
import type { Speaker } from '@veilcast/e2ee/said';
import type { Received } from './media/receiving.ts';
import type { SeatMedia } from './seat-media.ts';
import type { FrameCounts, GroupStanding, GroupWarning, TrackLock } from './workers/messages.ts';

export interface SeatListeners {
  /** At the door: a host must admit. */
  waiting(): void;
  /** In the Room under this id; the group may speak from here on. */
  seated(self: PeerId): void;
  /** In the Room; the Peers of the admission are all there are so far. */
  admitted(admission: Admission, media: SeatMedia): void;
  /** Another place: everything that this Peer sends must be sent again there. */
  moved(place: Place, media: SeatMedia): Promise<void>;
  /** Events of the Room, after `admitted`. */
  event(event: AnyEvent): void;
  opened(received: Received): void;
  closed(received: Received): void;
  replaced(before: Received, received: Received): void;
  /** Nothing of the Seat before this one is shown or sent any more. */
  formerOver(): void;
  standing(standing: GroupStanding): void;
  heard(speaker: Speaker, plaintext: Uint8Array): void;
  refused(reason: string): void;
  warned(warning: GroupWarning): void;
  identified(identity: MemberIdentity): void;
  headSeen(head: Uint8Array): void;
  counts(counts: FrameCounts): void;
  /** Frames of this Consumer open, or do not. */
  lock(consumerId: string, lock: TrackLock): void;
  /** Our encoders must make key frames, by whatever way they send. */
  wantOwnKeyFrames(sources: readonly Source[]): void;
  /** Somebody here cannot decode what somebody sends, and there is no other codec for it. */
  mediaFailed(error: ClusterError): void;
  /** Once: this Seat is of no use any more, or the server ended it. Not after `leave` or `close`. */
  lost(error: ClusterError): void;
}
