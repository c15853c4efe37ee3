/** The way out: leave, be lost, be removed; what goes with a Peer, and what happens when nobody is left inside. */
import type { ErrorCode, EventBody, ParticipantId, PeerId } from '@veilcast/protocol';
import { inheritHost } from './entry.ts';
import { forgetProducers } from './producers.ts';
import type { Peer, RoomEffect, RoomState, Step } from './state.ts';
import { inside, refuse, step, tellOthers, waiting, withoutPeer } from './step.ts';
import { tellLobby } from './views.ts';

/** Lost people whom a Room remembers. More: bytes for a meeting that lasts. Fewer: the first of them knocks again. */
export const LOST_MAX = 500;

type Reason = EventBody<'peerLeft'>['reason'];

/** What a Peer that waits, comes or is here leaves behind. `code`: why, for the Peer itself; undefined: it knows. */
export function depart(state: RoomState, peer: Peer, reason: Reason, code?: ErrorCode): Step {
  const ended: readonly RoomEffect[] = code === undefined ? [] : [{ kind: 'end', peerId: peer.peerId, code }];
  const rest = withoutPeer(state, peer.peerId);
  if (peer.status === 'waiting') return step(rest, [...ended, ...tellLobby(rest)]);

  const producerIds = [...peer.producers.keys()];
  const cut: readonly RoomEffect[] = [...cutOff(peer, reason), ...ended];
  if (inside(rest).length === 0) return close(rest, cut);

  const heirs = inheritHost(forgetProducers(rest, producerIds));
  const { peerId } = peer;
  const told =
    peer.status === 'placing'
      ? []
      : [
          ...producerIds.flatMap((producerId) =>
            tellOthers(heirs.state, peerId, { name: 'producerClosed', body: { peerId, producerId } }),
          ),
          ...tellOthers(heirs.state, peerId, { name: 'peerLeft', body: { peerId, reason } }),
        ];
  const demanded = peer.placement !== undefined || heirs.effects.length > 0;
  const demand: readonly RoomEffect[] = demanded ? [{ kind: 'putDemand' }] : [];
  return step(heirs.state, [...cut, ...told, ...heirs.effects, ...demand]);
}

/** Media and keys go first: whoever is removed must not see what comes after. */
function cutOff(peer: Peer, reason: Reason): readonly RoomEffect[] {
  const { peerId, placement, former } = peer;
  if (!placement) return [];
  return [
    ...(former ? [{ kind: 'closePeer', peerId, placement: former.placement } as const] : []),
    { kind: 'closePeer', peerId, placement },
    { kind: 'groupGone', peerId, urgent: reason === 'removed' },
  ];
}

/** The meeting is over. Who still waits is told so; the lock ends with it, since nobody could open it. */
function close(state: RoomState, effects: readonly RoomEffect[]): Step {
  const ends = waiting(state).map(({ peerId }): RoomEffect => ({ kind: 'end', peerId, code: 'CLOSED' }));
  return step({ ...state, locked: false, peers: new Map(), removed: [], lost: [] }, [
    ...effects,
    ...ends,
    { kind: 'closeRoom' },
  ]);
}

export function leave(state: RoomState, peerId: PeerId): Step {
  const peer = state.peers.get(peerId);
  return peer ? depart(state, peer, 'left') : refuse(state, 'NOT_JOINED');
}

/** Without a connection there is nobody to say goodbye to. */
export function lose(state: RoomState, peerId: PeerId, code: ErrorCode): Step {
  const peer = state.peers.get(peerId);
  if (!peer) return step(state);
  const known = peer.status === 'waiting' ? state : rememberLost(state, peer.participantId);
  return depart(known, peer, 'lost', code === 'DISCONNECTED' ? undefined : code);
}

function rememberLost(state: RoomState, participantId: ParticipantId): RoomState {
  const others = state.lost.filter((one) => one !== participantId);
  return { ...state, lost: [...others, participantId].slice(-LOST_MAX) };
}
