/** A Peer over Wires that break at any moment: what it was told and what it asked, against a Room that remembers. */
import { ClusterError, type AnyEvent, type PeerId, type RoomId } from '@veilcast/protocol';
import { virtualClock, type VirtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { SignalingSocket } from './socket.ts';
import type { Wire } from './wire.ts';

interface Message {
  readonly id: number;
  readonly name: string;
  readonly body: { readonly seq?: number; readonly locked?: boolean };
}

/** The Room: numbers what it tells, keeps it, and does each request once. */
class Room {
  readonly told: boolean[] = [];
  readonly done = new Map<number, number>();
  readonly clock: VirtualClock;
  wire: RoomWire | undefined;

  constructor(clock: VirtualClock) {
    this.clock = clock;
  }

  tell(locked: boolean): void {
    this.told.push(locked);
    this.wire?.tell(this.told.length);
  }

  take({ id, name, body }: Message, wire: RoomWire): unknown {
    if (name === 'resume') {
      this.wire = wire;
      for (let seq = (body.seq ?? 0) + 1; seq <= this.told.length; seq++) wire.tell(seq);
    } else if (!this.done.has(id)) this.done.set(id, this.done.size);
    return { ok: true, result: {} };
  }
}

/** Messages take a while either way; what is under way when it breaks is lost. */
class RoomWire implements Wire {
  open = true;
  readonly #room: Room;
  readonly #breakers: ((error: ClusterError) => void)[] = [];
  #record: (record: unknown, shared: boolean) => void = () => undefined;

  constructor(room: Room) {
    this.#room = room;
  }

  tell(seq: number): void {
    const locked = this.#room.told[seq - 1];
    this.#later(() => this.#record({ seq, name: 'roomLocked', body: { locked } }, false));
  }

  send(request: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.open) return reject(new ClusterError('DISCONNECTED'));
      this.#breakers.push(reject);
      this.#later(() => {
        const answer = this.#room.take(request as Message, this);
        this.#later(() => resolve(answer));
      });
    });
  }

  onRecord(listener: (record: unknown, shared: boolean) => void): void {
    this.#record = listener;
  }

  onLost(listener: (error: ClusterError) => void): void {
    this.#breakers.push(listener);
  }

  close(): void {
    this.open = false;
  }

  break(): void {
    if (!this.open) return;
    this.open = false;
    for (const breaker of this.#breakers) breaker(new ClusterError('DISCONNECTED'));
  }

  #later(run: () => void): void {
    this.#room.clock.after(5, () => {
      if (this.open) run();
    });
  }
}

const happening = fc.oneof(
  { weight: 3, arbitrary: fc.boolean().map((locked) => ({ kind: 'tell' as const, locked })) },
  { weight: 3, arbitrary: fc.constant({ kind: 'ask' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'break' as const }) },
  { weight: 3, arbitrary: fc.nat(30).map((ms) => ({ kind: 'wait' as const, ms })) },
);

it('hears everything once and in order, and has each request done once, in their order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 40 }), async (happenings) => {
      const clock = virtualClock();
      const room = new Room(clock);
      const heard: boolean[] = [];
      const lost: ClusterError[] = [];
      const first = new RoomWire(room);
      room.wire = first;
      let wire = first;
      const dial = async (): Promise<Wire> => (wire = new RoomWire(room));
      const socket = new SignalingSocket(
        first,
        {
          event: (event: AnyEvent) => void (event.name === 'roomLocked' && heard.push(event.body.locked)),
          lost: (error) => lost.push(error),
        },
        { clock, dial },
      );
      socket.admitted('demo' as RoomId, 'peer_1' as PeerId);
      const answers: Promise<unknown>[] = [];
      for (const one of happenings) {
        if (one.kind === 'tell') room.tell(one.locked);
        else if (one.kind === 'ask') answers.push(socket.request('setLocked', { locked: true }));
        else if (one.kind === 'break') wire.break();
        else await clock.advance(one.ms);
      }
      await clock.advance(60_000);
      expect(lost).toEqual([]);
      expect(heard).toEqual(room.told);
      await Promise.all(answers);
      expect(room.done.size).toBe(answers.length);
      expect([...room.done.keys()]).toEqual([...room.done.keys()].toSorted((a, b) => a - b));
    }),
    { numRuns: 300 },
  );
});

it('is lost when nobody knows the Peer any more, and says why the search ended', async () => {
  const clock = virtualClock();
  const room = new Room(clock);
  const lost: ClusterError[] = [];
  const first = new RoomWire(room);
  const dial = async (): Promise<Wire> => new RoomWire(room);
  const socket = new SignalingSocket(
    first,
    { event: () => undefined, lost: (error) => lost.push(error) },
    { clock, dial },
  );
  room.take = () => ({ ok: false, error: { code: 'NOT_JOINED' } });
  socket.admitted('demo' as RoomId, 'peer_1' as PeerId);
  first.break();
  await clock.advance(1_000);
  expect(lost).toMatchObject([{ code: 'DISCONNECTED', cause: { code: 'NOT_JOINED' } }]);
});
