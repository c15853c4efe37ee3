/**
 * What a large Room forwards: of many open microphones the loudest few, of many cameras those that a Peer pinned and those
 * of the people who spoke last (last-N). A Room within its bounds forwards everything.
 */
import type { ProducerId } from '@veilcast/protocol';
import { wantedOf } from './tile-layer.ts';
import type { Peer, Producer, RoomState } from './state.ts';
import { joined } from './step.ts';

/** Everything that is sent, by Producer: made once where many Consumers are looked at. */
export type Sent = ReadonlyMap<ProducerId, { readonly owner: Peer; readonly producer: Producer }>;

export function sentIn(state: RoomState): Sent {
  const sent = new Map<ProducerId, { owner: Peer; producer: Producer }>();
  for (const owner of joined(state)) {
    for (const producer of owner.producers.values()) sent.set(producer.producerId, { owner, producer });
  }
  return sent;
}

/** Open microphones, in the order of arrival. */
export function microphonesOf(state: RoomState): ProducerId[] {
  return joined(state).flatMap(({ producers }) =>
    [...producers.values()].flatMap(({ producerId, source, paused }) =>
      source === 'microphone' && !paused ? [producerId] : [],
    ),
  );
}

/** The microphones that everybody gets; undefined: all. */
export function voicesOf({ voices, policy }: RoomState): ReadonlyMap<ProducerId, unknown> | undefined {
  return voices.open.size > policy.voicesFrom ? voices.places : undefined;
}

/** The cameras that this Peer gets of those it shows; undefined: all. */
export function camerasFor(state: RoomState, peer: Peer, sent: Sent): ReadonlySet<ProducerId> | undefined {
  const { camerasMax } = state.policy;
  if (peer.consumers.size <= camerasMax) return undefined;
  const shown = [...peer.consumers.values()].filter((consumer) => {
    const source = sent.get(consumer.producerId)?.producer.source;
    return source === 'camera' && wantedOf(consumer, source, peer.tiles.get(consumer.producerId)).visible;
  });
  if (shown.length <= camerasMax) return undefined;
  const ranked = shown.map(({ producerId, held }) => ({
    producerId,
    isSent: !sent.get(producerId)!.producer.paused,
    isPinned: peer.tiles.get(producerId)?.pinned === true,
    spokeAt: spokeAt(state, sent.get(producerId)!.owner),
    held,
  }));
  // Of two who never spoke the one who is seen stays: a picture goes only for somebody who speaks.
  ranked.sort(
    (a, b) =>
      Number(b.isSent) - Number(a.isSent) ||
      Number(b.isPinned) - Number(a.isPinned) ||
      b.spokeAt - a.spokeAt ||
      Number(a.held) - Number(b.held),
  );
  return new Set(ranked.slice(0, camerasMax).map(({ producerId }) => producerId));
}

/** When this Peer was last heard; before everything where it was not, or has closed its microphone. */
function spokeAt({ voices }: RoomState, { producers }: Peer): number {
  const times = [...producers.keys()].map(
    (producerId) => voices.open.get(producerId)?.heardAt ?? Number.NEGATIVE_INFINITY,
  );
  return Math.max(Number.NEGATIVE_INFINITY, ...times);
}
