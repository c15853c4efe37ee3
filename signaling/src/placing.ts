/**
 * From "may come in" to "is in": a Worker from the cascade-router, two transports from its Node, a credential from the
 * Authentication Service. What was made for a Peer that vanished meanwhile is closed again.
 */
import { readJson, type wire } from '@veilcast/control';
import {
  ClusterError,
  NodeId,
  parseWith,
  type Place,
  RegionId,
  RtpCapabilities,
  TransportOptions,
  WorkerId,
  type Admission,
  type PeerId,
  type RegionProbe,
  type Role,
  type RoomId,
} from '@veilcast/protocol';
import type { Placement } from '@veilcast/room';
import { z } from 'zod';
import type { Authority } from './authority.ts';
import type { Entrant, Identities } from './identities.ts';
import type { RoomCascade } from './room-cascade.ts';
import type { RoomNodes } from './room-nodes.ts';

/** A Node that cannot take the Peer is passed over so often. More: a longer wait before the answer "full". */
const TRIES = 3;

const Placed = z.object({ nodeId: NodeId, workerId: WorkerId, region: RegionId });
/** What a Node says of a transport is parsed as strictly as what a client says. */
const Json = z.json();

export interface Arrival {
  readonly peerId: PeerId;
  readonly entrant: Entrant;
  readonly leafKey: string;
  readonly probes: readonly RegionProbe[];
  readonly region: string;
}

export interface PlacingOptions {
  readonly cascade: RoomCascade;
  readonly nodes: RoomNodes;
  readonly authority: Authority;
  readonly identities: Identities;
}

/** A Worker that has taken the Peer, and its transports there. */
export interface MadeMedia {
  readonly placement: Placement;
  readonly media: Place;
}

export interface Made extends MadeMedia {
  readonly credential: string;
  readonly attested: Admission['attested'];
}

/** @throws ClusterError; nothing is left on any Node then */
export async function makePlace(
  { cascade, nodes, authority, identities }: PlacingOptions,
  roomId: RoomId,
  arrival: Arrival,
  role: Role,
): Promise<Made> {
  const { peerId, entrant, leafKey } = arrival;
  const { bundleName } = entrant.proven;
  const leaf = { room: roomId, peer: peerId, participant: entrant.sub, role, leaf: leafKey, bundle: bundleName };
  // All take a while and none needs another.
  const [opened, credential, attested] = await Promise.allSettled([
    makeMedia({ cascade, nodes }, arrival, role),
    authority.signLeaf(leaf),
    identities.attested(entrant.proven),
  ]);
  if (opened.status === 'rejected') throw ClusterError.of(opened.reason);
  const { placement, media } = opened.value;
  try {
    if (credential.status === 'rejected') throw ClusterError.of(credential.reason);
    if (attested.status === 'rejected') throw ClusterError.of(attested.reason);
    return { placement, credential: credential.value, attested: attested.value, media };
  } catch (error) {
    nodes.act(placement.nodeId, 'closePeer', { peerId });
    throw error;
  }
}

/** @throws ClusterError; nothing is left on any Node then */
export async function makeMedia(
  { cascade, nodes }: Pick<PlacingOptions, 'cascade' | 'nodes'>,
  { peerId, probes, region, avoid = '' }: Pick<Arrival, 'peerId' | 'probes' | 'region'> & { readonly avoid?: string },
  role: Role,
): Promise<MadeMedia> {
  const asked = probes.map((probe) => ({ region: probe.region, rttMs: probe.rttMs }));
  // Where it may have been made although no answer came. Closed at the end only: a Node knows a Peer by its id alone, and
  // a close that is repeated must not come after the next try has opened it there.
  const doubtful = new Set<string>();
  try {
    for (let tries = TRIES; ; tries--) {
      const placed = await cascade.place({ peerId, role, probes: asked, region, avoid });
      const placement = parseWith(Placed, { nodeId: placed.nodeId, workerId: placed.workerId, region: placed.region });
      // A Node knows a Peer by its id alone: another Worker of the same one would close what it has.
      if (placement.nodeId === avoid) throw new ClusterError('CLUSTER_FULL');
      try {
        const answer = await nodes.ask(placement.nodeId, 'openPeer', { peerId, workerId: placement.workerId });
        doubtful.delete(placement.nodeId);
        return { placement, media: mediaOf(placement, answer) };
      } catch (thrown) {
        const error = ClusterError.of(thrown);
        if (error.retry !== 'never') doubtful.add(placement.nodeId);
        if (error.retry !== 'elsewhere' || tries <= 1) throw error;
      }
    }
  } finally {
    for (const nodeId of doubtful) nodes.act(nodeId, 'closePeer', { peerId });
  }
}

function mediaOf({ nodeId, region }: Placement, answer: wire.OpenedPeer): Place {
  return {
    nodeId,
    region,
    routerRtpCapabilities: readJson(answer.routerRtpCapabilities, RtpCapabilities),
    sendTransport: transportOf(answer.send),
    recvTransport: transportOf(answer.recv),
  };
}

function transportOf(options: wire.TransportOptions | undefined): TransportOptions {
  return parseWith(TransportOptions, {
    id: options?.id,
    iceParameters: readJson(options?.iceParameters, Json),
    iceCandidates: readJson(options?.iceCandidates, Json),
    dtlsParameters: readJson(options?.dtlsParameters, Json),
  });
}
