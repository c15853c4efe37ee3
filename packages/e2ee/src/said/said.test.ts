import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../fixture.ts';
import { HONEST, linesOf, World, type Member } from './fixture.ts';
import { encodeFrame, type SaidFrame } from './frame.ts';
import { QUIET_MS } from './said.ts';

const at = 1_800_000_000_000;

function worldOf(owners: readonly string[], seed = 1): { world: World; members: Member[] } {
  const world = new World(seeded(seed));
  const members = owners.map((owner) => {
    const member = world.add(owner);
    member.said.say('profile', { name: owner.toUpperCase() }, world.now);
    world.enter(member);
    world.run(2_000);
    return member;
  });
  return { world, members };
}

const says = (world: World, member: Member | undefined, text: string): void =>
  member?.said.say('chat', { text, at }, world.now);
const chatOf = (member: Member): string[] =>
  member.heard.flatMap((one) => (one.kind === 'chat' ? [one.value.text] : []));

describe('what is said', () => {
  it('comes to all others, in order and once', () => {
    const { world, members } = worldOf(['ada', 'bob', 'eve']);
    const [ada, bob, eve] = members;
    for (const text of ['one', 'two', 'three']) says(world, ada, text);
    world.run(100);
    expect(chatOf(bob)).toEqual(['one', 'two', 'three']);
    expect(chatOf(eve)).toEqual(['one', 'two', 'three']);
    expect(chatOf(ada)).toEqual([]);
    expect(linesOf(ada)).toEqual(['one', 'two', 'three']);
  });

  it('stands after what it answers, whoever hears it first', () => {
    const { world, members } = worldOf(['ada', 'bob', 'eve']);
    const [ada, bob, eve] = members;
    world.faults = { ...HONEST, delayMs: 150 };
    for (let round = 0; round < 10; round++) {
      says(world, ada, `question ${round}`);
      world.run(160);
      says(world, bob, `answer ${round}`);
      world.run(20);
    }
    world.run(1_000);
    const expected = Array.from({ length: 10 }, (_, round) => [`question ${round}`, `answer ${round}`]).flat();
    for (const member of [ada, bob, eve]) expect(linesOf(member)).toEqual(expected);
  });

  it('arrives once when a Commit overtook it and it was sealed again, or its answer was lost', () => {
    const { world, members } = worldOf(['ada', 'bob']);
    const [ada, bob] = members;
    world.faults = { ...HONEST, conflict: 400, unanswered: 400 };
    const texts = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    for (const text of texts) says(world, ada, text);
    world.run(20_000);
    expect(chatOf(bob)).toEqual(texts);
    expect(bob.refused).toContain('duplicate');
  });

  it('is asked for when it does not come, even the last line, and only by one', () => {
    const { world, members } = worldOf(['ada', 'bob', 'eve', 'dan']);
    const [ada, bob, eve, dan] = members;
    world.run(10_000);
    world.faults = { ...HONEST, lose: 1_000 };
    says(world, ada, 'lost');
    world.run(10);
    world.faults = HONEST;
    world.run(QUIET_MS + 50);
    const before = world.sent.length;
    world.run(3_000);
    for (const member of [bob, eve, dan]) expect(chatOf(member)).toEqual(['lost']);
    // One question for all three, one answer.
    expect(world.sent.length - before).toBeLessThanOrEqual(2);
  });

  it('is passed over when nobody can bring it, and taken after all when it comes late', () => {
    const { world, members } = worldOf(['ada', 'bob']);
    const [ada, bob] = members;
    says(world, ada, 'first');
    world.run(100);
    world.faults = { ...HONEST, lose: 1_000 };
    says(world, ada, 'second');
    world.run(20);
    const [sent] = world.sent.slice(-1);
    world.faults = HONEST;
    says(world, ada, 'third');
    world.faults = { ...HONEST, lose: 0 };
    world.run(1);
    world.leave(ada);
    world.run(10_000);
    expect(chatOf(bob)).toEqual(['first', 'third']);
    expect(bob.lost).toBe(1);
    bob.said.hear({ peerId: ada.peerId, owner: 'ada' }, sent, world.now);
    expect(chatOf(bob)).toEqual(['first', 'third', 'second']);
    expect(linesOf(bob)).toEqual(['first', 'second', 'third']);
  });

  it('goes on with the next Peer after a reconnect, without loss and without doubles', () => {
    const { world, members } = worldOf(['ada', 'bob', 'eve']);
    const [ada, bob, eve] = members;
    says(world, ada, 'before');
    says(world, eve, 'hello');
    world.run(1);
    world.leave(ada);
    says(world, ada, 'while away');
    says(world, bob, 'where is Ada');
    world.run(5_000);
    world.enter(ada);
    world.run(5_000);
    says(world, ada, 'back');
    says(world, bob, 'good');
    world.run(5_000);
    expect(chatOf(bob).filter((text) => text !== 'hello')).toEqual(['before', 'while away', 'back']);
    const all = new Set(['before', 'hello', 'while away', 'where is Ada', 'back', 'good']);
    for (const member of [ada, bob, eve]) {
      expect(new Set(linesOf(member))).toEqual(all);
      expect(linesOf(member)).toHaveLength(all.size);
    }
    expect(linesOf(ada)).toEqual(linesOf(bob));
  });

  it('may be long: in pieces, put together again', () => {
    const { world, members } = worldOf(['ada', 'bob']);
    const [ada, bob] = members;
    const long = '"'.repeat(4_000);
    says(world, ada, 'a');
    says(world, ada, long);
    says(world, ada, 'b');
    world.run(100);
    expect(chatOf(bob)).toEqual(['a', long, 'b']);
    expect(() => says(world, ada, 'x'.repeat(4_001))).toThrow('4000');
  });
});

describe('newcomers', () => {
  it('are told by one member what the Room keeps, marked as that member’s memory', () => {
    const { world, members } = worldOf(['ada', 'bob', 'eve']);
    const [ada, bob] = members;
    says(world, bob, 'hello');
    bob.said.say('hand', { raised: true }, world.now);
    world.run(10_000);
    const before = world.sent.length;
    const dan = world.add('dan');
    dan.said.say('profile', { name: 'DAN' }, world.now);
    world.enter(dan);
    world.run(1_000);
    // Dan’s own profile, and one answer. A profile of each would be as many messages as members.
    expect(world.sent.length - before).toBe(2);
    const [line] = dan.said.memory.log.entries;
    expect(line).toMatchObject({ by: bob.peerId, name: 'BOB', as: ada.peerId, disputed: false });
    expect(linesOf(dan)).toEqual(['hello']);
    expect(dan.said.memory.nameOf(bob.peerId)).toBe('BOB');
    expect(dan.said.memory.latest.get(bob.peerId, 'hand')).toMatchObject({ as: ada.peerId });
    world.run(10_000);
    // Everybody has said their name themselves by now.
    for (const { peerId } of members) expect(dan.said.memory.latest.get(peerId, 'profile')?.as).toBeUndefined();
  });

  it('who come together get one answer', () => {
    const { world, members } = worldOf(['ada', 'bob', 'eve']);
    says(world, members[0], 'hello');
    world.run(10_000);
    const before = world.sent.length;
    const crowd = ['x', 'y', 'z', 'u', 'v'].map((owner) => {
      const member = world.add(owner);
      world.enter(member);
      return member;
    });
    world.run(1_000);
    expect(world.sent.length - before).toBe(1);
    for (const member of crowd) expect(linesOf(member)).toEqual(['hello']);
  });

  it('ask the next member when the first says nothing', () => {
    const { world, members } = worldOf(['ada', 'bob', 'eve']);
    const [, bob, eve] = members;
    says(world, eve, 'hello');
    world.run(10_000);
    const dan = world.add('dan');
    world.enter(dan);
    world.faults = { ...HONEST, lose: 1_000 };
    world.run(300);
    world.faults = HONEST;
    world.run(3_000);
    expect(dan.said.memory.log.entries[0]?.as).toBe(bob.peerId);
    expect(eve.refused).toEqual([]);
  });

  it('get what its speaker says again in place of what another remembers', () => {
    const { world, members } = worldOf(['ada', 'bob']);
    const [, bob] = members;
    says(world, bob, 'one');
    world.run(10_000);
    const dan = world.add('dan');
    world.enter(dan);
    world.run(1_000);
    expect(dan.said.memory.log.entries.map(({ as }) => as)).toEqual([members[0].peerId]);
    world.faults = { ...HONEST, lose: 1_000 };
    says(world, bob, 'two');
    world.run(20);
    world.faults = HONEST;
    says(world, bob, 'three');
    world.run(10_000);
    expect(linesOf(dan)).toEqual(['one', 'two', 'three']);
    expect(dan.said.memory.log.entries.map(({ as }) => as === undefined)).toEqual([false, true, true]);
  });

  it('see when two members remember differently', () => {
    const { world, members } = worldOf(['ada', 'bob', 'eve']);
    const [ada, bob, eve] = members;
    says(world, eve, 'truth');
    world.run(10_000);
    const dan = world.add('dan');
    world.enter(dan);
    world.run(10);
    const line = eve.said.memory.log.entries[0];
    const claim = (payload: string): object => ({
      for: [dan.peerId],
      entries: [
        {
          stream: line.stream,
          number: line.number,
          clock: line.clock,
          kind: 'chat',
          by: line.by,
          name: 'EVE',
          payload,
        },
      ],
    });
    dan.said.hear(speaker(bob), loose('history', claim('{"text":"lie","at":1}')), world.now);
    world.run(1_000);
    expect(dan.said.memory.log.entries).toHaveLength(1);
    expect(dan.said.memory.log.entries[0]).toMatchObject({ as: bob.peerId, disputed: true });
    // What was heard from its speaker is beyond dispute.
    const heard = ada.said.memory.log.entries[0];
    ada.said.follow(
      { self: ada.peerId, members: world.inside.map(({ peerId }) => peerId), added: [], entered: true },
      world.now,
    );
    const lie = { ...claim('{"text":"lie","at":1}'), for: [ada.peerId] };
    ada.said.hear(speaker(bob), loose('history', lie), world.now);
    expect(ada.said.memory.log.entries).toEqual([heard]);
    expect(ada.refused).toContain('contradiction');
  });
});

describe('a member refuses', () => {
  const { world, members } = worldOf(['ada', 'bob', 'eve']);
  const [ada, bob, eve] = members;
  const refusal = (bytes: Uint8Array, from = speaker(eve)): string | undefined => {
    ada.refused.length = 0;
    ada.said.hear(from, bytes, world.now);
    return ada.refused.at(-1);
  };
  const chat = new TextEncoder().encode('{"text":"x","at":1}');
  const frame = (change: Partial<SaidFrame>): Uint8Array =>
    encodeFrame({ ...FRAME, kind: 'chat', payload: chat, ...change });

  it.each([
    ['bytes that are no frame', 'malformed', () => Uint8Array.of(1, 2, 3)],
    ['a frame of another version', 'malformed', () => frame({}).with(0, 2)],
    ['a stream of somebody else', 'wrong-owner', () => frame({ stream: bob.said.stream, number: 50 })],
    ['our own stream', 'wrong-owner', () => frame({ stream: ada.said.stream })],
    ['an ordered kind that is not numbered', 'not-allowed', () => frame({ way: 'loose' })],
    ['a loose kind that is numbered', 'not-allowed', () => frame({ kind: 'history' })],
    ['a kind that it does not know', 'unknown-kind', () => frame({ kind: 'poll' })],
    ['a payload that is not of its kind', 'malformed', () => frame({ kind: 'hand', stream: 'b'.repeat(32) })],
    ['a history that it has not waited for', 'not-asked', () => loose('history', { for: [ada.peerId], entries: [] })],
  ])('%s', (_, reason, bytes) => {
    expect(refusal(bytes())).toBe(reason);
  });

  it('more streams of one than a person can have', () => {
    const reasons = Array.from({ length: 12 }, (_, i) =>
      refusal(frame({ stream: i.toString(16).padStart(32, 'c') }), { peerId: bob.peerId, owner: 'bob' }),
    );
    expect(reasons.filter((reason) => reason === 'too-many-streams')).toHaveLength(5);
  });

  it('memories from one who came after it, and of things that are not kept', () => {
    const dan = world.add('dan');
    world.enter(dan);
    const late = world.add('late');
    world.enter(late);
    world.run(10);
    const entry = {
      stream: 'd'.repeat(32),
      number: 1,
      clock: 1,
      kind: 'ask',
      by: bob.peerId,
      name: '',
      payload: '{}',
    };
    dan.said.hear(speaker(late), loose('history', { for: [dan.peerId], entries: [] }), world.now);
    expect(dan.refused).toEqual(['not-asked']);
    dan.said.hear(speaker(bob), loose('history', { for: [dan.peerId], entries: [entry] }), world.now);
    expect(dan.refused).toEqual(['not-asked', 'malformed']);
  });

  it('a clock that runs away: it orders by when the frame came, and takes nobody along', () => {
    const mad = world.add('mad');
    world.enter(mad);
    world.run(1_000);
    bob.said.hear(speaker(mad), frame({ stream: mad.said.stream, clock: 2 ** 40 }), world.now);
    says(world, bob, 'still sane');
    world.run(100);
    expect(bob.said.memory.log.entries.at(-1)?.clock).toBeLessThan(10_000);
    expect(linesOf(bob).slice(-2)).toEqual(['x', 'still sane']);
  });
});

describe('whatever happens', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('say' as const), who: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('wait' as const), who: fc.nat(400) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('leave' as const), who: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('enter' as const), who: fc.nat(3) }) },
  );

  it('nobody hears a line twice or out of order, and in the end all who are there have the same lines in one order', () => {
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { maxLength: 40 }), (seed, steps) => {
        const { world, members } = worldOf(['ada', 'bob', 'eve', 'dan'], seed);
        world.faults = { lose: 150, double: 150, delayMs: 120, conflict: 150, unanswered: 100 };
        let spoken = 0;
        for (const { act, who } of steps) {
          const member = members[who % 4];
          if (act === 'say') says(world, member, `${(spoken += 1)}`);
          if (act === 'wait') world.run(who);
          if (act === 'leave' && world.inside.length > 1 && member.since !== undefined) world.leave(member);
          if (act === 'enter' && member.since === undefined) world.enter(member);
        }
        world.faults = HONEST;
        for (const member of members) if (member.since === undefined) world.enter(member);
        world.run(12_000);
        // Everybody says one thing more, so that whatever is missing is missed.
        for (const member of members) says(world, member, `${(spoken += 1)}`);
        world.run(20_000);
        for (const member of members) {
          const heard = member.heard.filter(({ kind }) => kind === 'chat');
          const keys = heard.map(({ stream, number }) => `${stream} ${number}`);
          expect(new Set(keys).size).toBe(keys.length);
          const last = new Map<string, number>();
          for (const { stream, number, late } of heard) {
            if (!late) expect(number).toBeGreaterThan(last.get(stream) ?? 0);
            if (!late) last.set(stream, number);
          }
          expect(linesOf(member)).toEqual(linesOf(members[0]));
          expect(linesOf(member)).toHaveLength(spoken);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('random bytes never throw, and are never heard', () => {
    const { world, members } = worldOf(['ada', 'bob']);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        members[0].said.hear(speaker(members[1]), noise, world.now);
      }),
    );
    expect(chatOf(members[0])).toEqual([]);
  });
});

const FRAME: SaidFrame = {
  stream: 'a'.repeat(32),
  way: 'ordered',
  number: 1,
  clock: 1,
  piece: 0,
  pieces: 1,
  kind: 'chat',
  payload: new Uint8Array(),
};

function speaker({ peerId, owner }: Member): { peerId: Member['peerId']; owner: string } {
  return { peerId, owner };
}

function loose(kind: string, value: object): Uint8Array {
  return encodeFrame({ ...FRAME, way: 'loose', kind, payload: new TextEncoder().encode(JSON.stringify(value)) });
}
