/** Who is in the Room, ourselves included; the group is told at once, and so is what goes on of the Seat before. */
import type { ParticipantId, PeerId } from '@veilcast/protocol';
import type { FormerSeat } from './former-seat.ts';
import type { Group } from './group.ts';

interface Comer {
  readonly peerId: PeerId;
  readonly participantId: ParticipantId;
}

export class Presence {
  /** From here on, whoever comes may be somebody of before. */
  former: FormerSeat | undefined;
  readonly #group: Pick<Group, 'present'>;
  readonly #present = new Map<PeerId, ParticipantId>();
  #self: PeerId | undefined;

  constructor(group: Pick<Group, 'present'>) {
    this.#group = group;
  }

  get self(): PeerId | undefined {
    return this.#self;
  }

  /** Who they are, ourselves left out. */
  get others(): ReadonlyMap<PeerId, ParticipantId> {
    return new Map([...this.#present].filter(([peerId]) => peerId !== this.#self));
  }

  enter(self: Comer, others: readonly Comer[]): void {
    this.#self = self.peerId;
    this.came(self, ...others);
  }

  came(...comers: readonly Comer[]): void {
    for (const { peerId, participantId } of comers) {
      this.#present.set(peerId, participantId);
      if (peerId !== this.#self) this.former?.came(peerId, participantId);
    }
    this.#group.present([...this.#present.keys()]);
  }

  went(peerId: PeerId): void {
    this.#present.delete(peerId);
    this.former?.went(peerId);
    this.#group.present([...this.#present.keys()]);
  }
}
