/** What a host asks of the Room. */
import type { PeerId } from '@veilcast/protocol';
import type { Call } from './call.ts';
import type { Signaling } from './socket.ts';

/** `joined`: the signaling of the present Seat. @throws ClusterError CLOSED, NOT_JOINED */
export function hosting(joined: () => Signaling): Pick<Call, 'setLocked' | 'admit' | 'deny' | 'kick'> {
  return {
    setLocked: async (locked) => void (await joined().request('setLocked', { locked })),
    admit: async (peerId: PeerId) => void (await joined().request('admit', { peerId })),
    deny: async (peerId: PeerId) => void (await joined().request('deny', { peerId })),
    kick: async (peerId: PeerId) => void (await joined().request('kick', { peerId })),
  };
}
