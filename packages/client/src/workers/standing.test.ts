/** When a member asks for a place, renews its keys, takes out who is not in the Room, and what it says. In virtual time. */
import { PEERS_MAX, type PeerId } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import {
  ENTER_AGAIN_MS,
  newStanding,
  nextRotation,
  reduce,
  RETRY_MOST_MS,
  ROTATE_MS,
  STALE_MS,
  SUSPECT_MS,
  SUSPECT_SPREAD_MS,
  type Standing,
  type StandingEffect,
  type StandingEvent,
} from './standing.ts';

const [ada, bob, cyd, dan] = ['ada', 'bob', 'cyd', 'dan'] as [PeerId, PeerId, PeerId, PeerId];
const START = 1_700_000_000_000;

/** One member and the moments at which it is woken. */
class Life {
  now = START;
  standing: Standing;
  wakeAt: number | undefined;
  readonly done: { readonly at: number; readonly effect: StandingEffect }[] = [];
  constructor(self: PeerId) {
    this.standing = newStanding(self, START);
    this.give({ kind: 'tick' });
  }
  give(event: StandingEvent): this {
    const step = reduce(this.standing, event, this.now);
    this.standing = step.standing;
    this.wakeAt = step.wakeAt;
    for (const effect of step.effects) this.done.push({ at: this.now - START, effect });
    return this;
  }
  epoch(epoch: number, members: readonly PeerId[], by: PeerId | '' = members[0]): this {
    return this.give({ kind: 'epoch', epoch, members: members.map((peerId, leaf) => ({ peerId, leaf })), by });
  }
  pass(ms: number): this {
    const until = this.now + ms;
    for (let turns = 0; this.wakeAt !== undefined && this.wakeAt <= until; turns++) {
      if (turns > 10_000) throw new Error('it never rests');
      this.now = Math.max(this.now, this.wakeAt);
      this.give({ kind: 'tick' });
    }
    this.now = until;
    return this;
  }
  of(kind: StandingEffect['kind']): number[] {
    return this.done.filter(({ effect }) => effect.kind === kind).map(({ at }) => at);
  }
  warnings(): unknown[] {
    return this.done.flatMap(({ at, effect }) =>
      effect.kind === 'warn' ? [[at, effect.warning.kind, ...effect.warning.peers]] : [],
    );
  }
}

describe('a place', () => {
  it('that signaling never gives is asked for again', () => {
    expect(new Life(ada).pass(3 * ENTER_AGAIN_MS).of('enter')).toEqual([1, 2, 3].map((n) => n * ENTER_AGAIN_MS));
  });

  it('that was lost is asked for at once, and later each time it leads nowhere', () => {
    const life = new Life(ada).epoch(0, [ada]);
    const pauses: number[] = [];
    for (let tries = 0; tries < 10; tries++) {
      const before = life.now;
      const already = life.of('enter').length;
      life.give({ kind: 'lost' });
      while (life.of('enter').length === already) life.pass(1);
      pauses.push(life.now - before);
    }
    expect(pauses).toEqual([0, 250, 500, 1000, 2000, 4000, 8000, 16_000, RETRY_MOST_MS, RETRY_MOST_MS]);
  });

  it('that was held for a while is asked for at once again', () => {
    const life = new Life(ada).epoch(0, [ada]).give({ kind: 'lost' }).give({ kind: 'lost' }).pass(1000);
    life.epoch(3, [ada, bob]).pass(60_000).give({ kind: 'lost' });
    expect(life.of('enter').at(-1)).toBe(61_000);
    expect(life.standing.failures).toBe(1);
  });

  it('that will never be given is asked for no more, and said once', () => {
    const life = new Life(ada).give({ kind: 'noPlace', final: true }).give({ kind: 'lost' }).pass(ROTATE_MS);
    expect(life.done.map(({ effect }) => effect.kind)).toEqual(['failed']);
    expect(life.wakeAt).toBeUndefined();
  });

  it('is given up when race after race is lost and no Epoch comes', () => {
    const life = new Life(ada).epoch(5, [ada, bob]);
    for (let race = 0; race < 3; race++) life.give({ kind: 'raceLost' }).pass(10_000);
    expect(life.of('rotate')).toHaveLength(3);
    expect(life.of('giveUp')).toEqual([]);
    life.epoch(6, [ada, bob], bob).give({ kind: 'raceLost' });
    expect(life.of('giveUp')).toEqual([]);
    for (let race = 0; race < 3; race++) life.give({ kind: 'raceLost' });
    expect(life.of('giveUp')).toHaveLength(1);
  });
});

describe('rotation', () => {
  it('comes once in fifteen minutes for every leaf, and for no two at once', () => {
    const turns = Array.from({ length: PEERS_MAX }, (_, leaf) => nextRotation(leaf, START) - START);
    expect(Math.min(...turns)).toBeGreaterThan(0);
    expect(Math.max(...turns)).toBeLessThanOrEqual(ROTATE_MS);
    const sorted = turns.toSorted((a, b) => a - b);
    const gaps = sorted.slice(1).map((turn, n) => turn - sorted[n]!);
    expect(Math.min(...gaps)).toBe(ROTATE_MS / PEERS_MAX);
    for (const leaf of [0, 7, 99]) {
      const turn = nextRotation(leaf, START);
      expect(nextRotation(leaf, turn)).toBe(turn + ROTATE_MS);
    }
  });

  it('goes on for hours, in spite of what others do, and not alone', () => {
    const life = new Life(bob).epoch(1, [ada, bob]);
    for (let n = 2; n < 62; n++) life.pass(60_000).epoch(n, [ada, bob], ada);
    expect(life.of('rotate')).toHaveLength(4);
    expect(
      new Life(ada)
        .epoch(0, [ada])
        .pass(4 * ROTATE_MS)
        .of('rotate'),
    ).toEqual([]);
  });
});

const inRoom = (...peers: PeerId[]): StandingEvent => ({ kind: 'present', peers });

describe('who is a member and not in the Room', () => {
  it('is shown and taken out, by the lowest leaf first and the next ones after it', () => {
    const proposals = [ada, bob, cyd].map((self) => {
      const life = new Life(self).give(inRoom(ada, bob, cyd, dan)).epoch(3, [ada, bob, cyd, dan]);
      life.give(inRoom(ada, bob, cyd)).pass(SUSPECT_MS + 1000);
      expect(life.warnings()).toEqual([[SUSPECT_MS, 'removalWithheld', 'dan']]);
      expect(life.done.find(({ effect }) => effect.kind === 'remove')?.effect).toEqual({
        kind: 'remove',
        peers: [dan],
      });
      return life.of('remove');
    });
    expect(proposals).toEqual([0, 1, 2].map((rank) => [SUSPECT_MS + rank * SUSPECT_SPREAD_MS]));
  });

  it('is a ghost when it was never in the Room', () => {
    const life = new Life(ada).give(inRoom(ada)).epoch(1, [ada, dan]).pass(SUSPECT_MS);
    expect(life.warnings()).toEqual([[SUSPECT_MS, 'ghost', 'dan']]);
    expect(life.of('remove')).toHaveLength(1);
  });

  it('is left alone when the removal comes in time, or the Peer is back', () => {
    const life = new Life(ada)
      .give(inRoom(ada, bob))
      .epoch(1, [ada, bob])
      .give(inRoom(ada))
      .pass(SUSPECT_MS - 1);
    life.epoch(2, [ada], ada).pass(60_000);
    const back = new Life(ada)
      .give(inRoom(ada, bob))
      .epoch(1, [ada, bob])
      .give(inRoom(ada))
      .pass(SUSPECT_MS - 1);
    back.give(inRoom(ada, bob)).pass(60_000);
    expect([life.done, back.done]).toEqual([[], []]);
  });

  it('is taken out again and again when the server lets nobody, and shown once', () => {
    const life = new Life(ada).give(inRoom(ada, bob)).epoch(1, [ada, bob]).give(inRoom(ada)).pass(95_000);
    expect(life.of('remove')).toHaveLength(4);
    expect(life.warnings()).toHaveLength(1);
  });

  it('is not judged before signaling has said who is there', () => {
    expect(new Life(ada).epoch(1, [ada, bob]).pass(60_000).done).toEqual([]);
  });
});

describe('keys that a member does not renew', () => {
  it('are shown once, until it does', () => {
    const life = new Life(ada).epoch(1, [ada, bob], ada);
    for (let n = 2; life.now < START + STALE_MS + ROTATE_MS; n++) life.pass(ROTATE_MS / 2).epoch(n, [ada, bob], ada);
    expect(life.warnings()).toEqual([[STALE_MS, 'staleLeaf', 'bob']]);
    life.epoch(99, [ada, bob], bob).pass(STALE_MS);
    expect(life.warnings()).toHaveLength(2);
  });
});
