/** The people who are seen and heard, in a Room of the real reducer: the host, the speakers, and one viewer for the host to throw out. */
import type { NodeId, ParticipantId, PeerId, ProducerId, RegionId, RoomId } from '@veilcast/protocol';
import {
  demandOf,
  openRoom,
  reduce,
  type RoomDemand,
  type RoomEffect,
  type RoomEvent,
  type RoomState,
} from '@veilcast/room';
import type { Fleet, Worker } from './fleet.ts';

const HOST = 'host' as PeerId;
const VICTIM = 'victim' as PeerId;

export class Stage {
  #room: RoomState = openRoom('broadcast' as RoomId, { peersMax: 100, producersMax: 300, firstIsHost: false });
  readonly #fleet: Fleet;
  readonly #origin: RegionId;
  /** Whom the group must lose, at once. */
  readonly expelled: PeerId[] = [];

  constructor(fleet: Fleet, origin: RegionId, speakers: number) {
    this.#fleet = fleet;
    this.#origin = origin;
    this.#enter(HOST, 'host');
    this.#produce(HOST);
    for (let n = 1; n <= speakers; n++) {
      const peerId = `speaker${n}` as PeerId;
      this.#enter(peerId, 'speaker');
      this.#produce(peerId);
    }
    this.#enter(VICTIM, 'viewer');
  }

  /** What the Room needs of the cascade, of its own people. */
  demand(): RoomDemand {
    return demandOf(this.#room);
  }

  /** The host throws a viewer out. @returns whether the keys must change at once */
  kick(): boolean {
    if (!this.#room.peers.has(VICTIM)) this.#enter(VICTIM, 'viewer');
    const before = this.expelled.length;
    this.#give({ kind: 'kick', peerId: HOST, target: VICTIM });
    return this.expelled.length > before;
  }

  /** Their Node is gone, or is being emptied: whoever is on it is placed anew and sends from there. @returns whether anybody was */
  leaveNode(nodeId: NodeId): boolean {
    const there = [...this.#room.peers.values()].filter(({ placement }) => placement?.nodeId === nodeId);
    for (const { peerId, role } of there) {
      this.#give({ kind: 'displaced', peerId });
      if (role !== 'viewer') this.#produce(peerId);
    }
    return there.length > 0;
  }

  #enter(peerId: PeerId, role: 'host' | 'speaker' | 'viewer'): void {
    this.#give({ kind: 'arrive', peerId, participantId: `of-${peerId}` as ParticipantId, role });
  }

  #produce(peerId: PeerId): void {
    const placement = this.#room.peers.get(peerId)?.placement;
    if (!placement) return;
    for (const [kind, source] of [
      ['video', 'camera'],
      ['audio', 'microphone'],
    ] as const) {
      // A speaker is heard; one picture at a time is watched, the host's.
      if (kind === 'video' && peerId !== HOST) continue;
      const producerId = `${peerId}-${kind}` as ProducerId;
      this.#give({ kind: 'produced', peerId, producer: { producerId, kind, source, paused: false, placement } });
    }
  }

  #give(event: RoomEvent): void {
    const step = reduce(this.#room, event, 0);
    this.#room = step.state;
    for (const effect of step.effects) this.#carryOut(effect);
  }

  #carryOut(effect: RoomEffect): void {
    if (effect.kind === 'place') {
      const { peerId } = effect;
      const worker = this.#fleet.place(this.#origin, this.#room.peers.get(peerId)?.role ?? 'viewer');
      if (!worker) return this.#give({ kind: 'lost', peerId, code: 'CLUSTER_FULL' });
      this.#give({ kind: 'placed', peerId, placement: placementOf(worker) });
    }
    if (effect.kind === 'groupGone' && effect.urgent) this.expelled.push(effect.peerId);
  }
}

function placementOf({ workerId, nodeId, region }: Worker) {
  return { workerId, nodeId, region };
}
