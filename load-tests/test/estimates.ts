/** What real workers in this process believe of the last mile of each viewer, read off every transport that they make. */
import { observer, type types } from 'mediasoup';

/** Bytes that a transport has sent before its estimate means something. */
const TRIED = 50_000;

export interface Estimates {
  /** Bits a second by transport, where media flows to somebody. */
  now(): Promise<ReadonlyMap<string, number>>;
}

/** Follows all workers that are started from here on. */
export function followEstimates(): Estimates {
  const transports = new Set<types.WebRtcTransport>();
  const follow = (transport: types.Transport): void => {
    if (transport.type !== 'webrtc') return;
    const one = transport as types.WebRtcTransport;
    transports.add(one);
    one.observer.once('close', () => transports.delete(one));
  };
  observer.on('newworker', (worker) =>
    worker.observer.on('newrouter', (router) => router.observer.on('newtransport', follow)),
  );
  return {
    now: async () => {
      const all = await Promise.all(
        [...transports].map(async (transport) => {
          const [stats] = await transport.getStats().catch(() => []);
          const { availableOutgoingBitrate: bits, bytesSent = 0 } = stats ?? {};
          return bits === undefined || bytesSent < TRIED ? [] : [[transport.id, bits] as const];
        }),
      );
      return new Map(all.flat());
    },
  };
}
