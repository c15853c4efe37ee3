/** The report of a page that is in no call, in the shape of one that is (DESIGN §11). */
import type { CallReport } from '@veilcast/client';

export function emptyReport(room: string, name: string, role: string): CallReport {
  return {
    room,
    self: { peerId: '', name, role, region: '', node: '', transport: '', joinMs: null },
    peers: [],
    e2ee: {
      state: 'waiting',
      suite: '',
      epoch: 0,
      members: 0,
      code: '',
      framesSealed: 0,
      framesOpened: 0,
      failures: {},
    },
    adaptation: null,
  };
}
