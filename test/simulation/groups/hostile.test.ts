/**
 * A delivery service that cheats, with the real library: each of its tricks is refused, or undone, or seen (ADR 0015).
 * What a single Commit can be made to look like is in packages/e2ee's refusals; here is what a server can do with good ones.
 */
import { tsMlsLibrary } from '@veilcast/e2ee';
import type { GroupTold } from '@veilcast/delivery';
import type { Epoch, PeerId } from '@veilcast/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { passSlowly } from './history.ts';
import { RoomWorld, type Stay } from './room-world.ts';

const library = tsMlsLibrary();
const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);
type Told<N extends GroupTold['name']> = Extract<GroupTold, { name: N }>;

let world: RoomWorld;
let ada: Stay;
let bob: Stay;
let cyd: Stay;
let dan: Stay;
beforeEach(async () => {
  world = new RoomWorld(7, () => library);
  [ada, bob, cyd, dan] = (await roomOf('ada', 'bob', 'cyd', 'dan')) as [Stay, Stay, Stay, Stay];
});

async function roomOf(...people: string[]): Promise<Stay[]> {
  const stays: Stay[] = [];
  for (const person of people) {
    stays.push(await world.enter(person));
    await passUntil(() => stays.at(-1)?.place !== undefined);
  }
  await passUntil(() => agree(...stays));
  return stays;
}

async function passUntil(holds: () => boolean, ms = 20_000): Promise<void> {
  for (const until = world.clock.now() + ms; !holds();) {
    if (world.clock.now() > until) throw new Error(`it did not come to hold\n${world.trace.slice(-20).join('\n')}`);
    await passSlowly(world, 100);
  }
}

/** Says it, and passes time until it was said and what follows from it has. */
async function say(stay: Stay, words: Uint8Array, holds: () => boolean): Promise<void> {
  let said = false;
  void stay.membership.say(words).then(() => (said = true));
  await passUntil(() => said && holds());
}

function agree(...stays: Stay[]): boolean {
  const words = new Set(stays.map(({ place }) => place?.word));
  return words.size === 1 && !words.has(undefined);
}

/** A member renews its keys now; resolves when everybody has heard of it who is let to. */
async function commitBy(stay: Stay): Promise<void> {
  const epoch = world.delivery.epoch;
  const removal: GroupTold = { name: 'groupRemove', body: { epoch, peers: [] } };
  world.tell(stay, [removal]);
  await passUntil(() => (stay.place?.epoch ?? 0) > epoch);
}

const isCommit = (event: GroupTold): event is Told<'groupCommit'> => event.name === 'groupCommit';
const reasons = (stay: Stay) => stay.warnings.map(({ kind, peers, reason }) => [kind, peers.join(), reason]);

describe('a fork', () => {
  test('two Commits of one Epoch, each for one half: the halves see who is in the other', async () => {
    const epoch = world.delivery.epoch;
    world.bend = (to, event) => (isCommit(event) && (to === cyd || to === dan) ? [] : [event]);
    await commitBy(ada);
    await passUntil(() => agree(ada, bob));
    world.judge = (from, body) => {
      if (from !== cyd || !body.commit) return undefined;
      const { commit } = body;
      world.tell(dan, [{ name: 'groupCommit', body: { epoch, sender: cyd.peerId, commit, removes: [] } }]);
      return epoch + 1;
    };
    world.tell(cyd, [{ name: 'groupRemove', body: { epoch, peers: [] } }]);
    await passUntil(() => agree(cyd, dan) && cyd.place?.epoch === epoch + 1);
    expect([ada.place?.epoch, agree(ada, cyd)]).toEqual([epoch + 1, false]);
    await say(dan, bytes('who is here?'), () => ada.warnings.length > 0);
    for (const stay of [ada, bob]) expect(reasons(stay)[0]).toEqual(['fork', dan.peerId, 'forked']);
    expect([...ada.heard, ...bob.heard]).toEqual([]);
    expect(cyd.heard).toContain(`${dan.peerId} who is here?`);
    // It is one group again as soon as the server deals honestly with those whom it led away.
    world.bend = (_, event) => [event];
    world.judge = () => undefined;
    await commitBy(ada);
    await passUntil(() => agree(ada, bob, cyd, dan), 120_000);
    expect(reasons(cyd)).toContainEqual(['commitRefused', ada.peerId, 'bad-signature']);
  });
});

describe('Commits', () => {
  test('replayed: the same one again changes nothing; as one of the new Epoch it is refused, and the member is back', async () => {
    let kept: Told<'groupCommit'> | undefined;
    world.bend = (to, event) => {
      if (!isCommit(event) || to !== bob) return [event];
      kept = event;
      return [event, event];
    };
    await commitBy(ada);
    await passUntil(() => agree(ada, bob, cyd, dan));
    expect([bob.refused, bob.warnings]).toEqual([[], []]);
    if (!kept) throw new Error('no Commit');
    const epoch = world.delivery.epoch;
    world.tell(bob, [{ name: 'groupCommit', body: { ...kept.body, epoch } }]);
    await passUntil(() => bob.warnings.length > 0);
    expect(reasons(bob)).toEqual([['commitRefused', ada.peerId, 'wrong-epoch']]);
    await passUntil(() => agree(ada, bob, cyd, dan));
  });

  test('reordered or withheld: the gap is seen, and the member comes back to the others', async () => {
    const held: GroupTold[] = [];
    world.bend = (to, event) => {
      if (to !== bob || !isCommit(event)) return [event];
      held.push(event);
      return held.length === 2 ? held.toReversed() : [];
    };
    await commitBy(ada);
    await commitBy(cyd);
    await passUntil(() => bob.refused.includes('wrong-epoch'));
    world.bend = (_, event) => [event];
    await passUntil(() => agree(ada, bob, cyd, dan));
  });

  test('forged: by nobody, by a stranger with a credential of his own, for another group', async () => {
    const other = new RoomWorld(9, () => library);
    await other.enter('eve');
    while (other.delivery.groupInfo === undefined) await passSlowly(other, 100);
    const stranger = {
      roomId: 'demo' as never,
      peerId: bob.peerId,
      leafKey: await library.generateLeafKey(),
      credential: bob.peerId,
      validate: async (credential: string) => ({ peerId: credential as PeerId }),
    };
    const foreign = await library.joinGroup(stranger, other.delivery.groupInfo);
    for (const [commit, reason] of [
      [bytes('nonsense'), 'undecodable'],
      [foreign.commit, 'wrong-group'],
    ] as const) {
      cyd.warnings.length = 0;
      const epoch = world.delivery.epoch;
      world.tell(cyd, [{ name: 'groupCommit', body: { epoch, sender: bob.peerId, commit, removes: [] } }]);
      await passUntil(() => cyd.warnings.length > 0);
      expect(reasons(cyd)).toEqual([['commitRefused', bob.peerId, reason]]);
      await passUntil(() => agree(ada, bob, cyd, dan));
    }
  });

  test('that remove who is here are refused by an honest service, whoever makes them', async () => {
    const before = world.delivery.epoch;
    world.tell(bob, [{ name: 'groupRemove', body: { epoch: before, peers: [dan.peerId] } }]);
    await passUntil(() => bob.refused.length > 0);
    expect(bob.refused).toEqual(['COMMIT_INVALID']);
    expect(world.delivery.epoch).toBe(before);
    expect(agree(ada, bob, cyd, dan)).toBe(true);
  });
});

describe('a removal that the server keeps back', () => {
  test('is shown to everybody, proposed by members, and done', async () => {
    world.bend = (_, event) => (event.name === 'groupRemove' ? [] : [event]);
    const kept = dan.place?.word;
    world.kick(dan);
    await passUntil(() => [ada, bob, cyd].every(({ place }) => place?.members.includes(dan.peerId) === false));
    expect(reasons(ada)).toEqual([['removalWithheld', dan.peerId, 'not-in-room']]);
    expect(agree(ada, bob, cyd)).toBe(true);
    expect(ada.place?.word).not.toBe(kept);
  });

  test('is tried again and again while the server refuses the members’ own too', async () => {
    const tried: PeerId[] = [];
    world.bend = (_, event) => (event.name === 'groupRemove' ? [] : [event]);
    world.judge = (from) => {
      tried.push(from.peerId);
      return 'COMMIT_INVALID';
    };
    world.kick(dan);
    await passUntil(() => tried.length >= 3);
    expect(new Set(tried)).toEqual(new Set([ada, bob, cyd].map(({ peerId }) => peerId)));
    for (const stay of [ada, bob, cyd]) expect(reasons(stay)).toEqual([['removalWithheld', dan.peerId, 'not-in-room']]);
    world.judge = () => undefined;
    // By now the service takes its committers for dead: they come back as other Peers, to a group without Dan.
    const all = () => [...world.stays.values()];
    await passUntil(() => agree(...all()) && all().every(({ place }) => !place?.members.includes(dan.peerId)), 60_000);
  });
});

const credentialed = async (peerId: PeerId) => ({
  roomId: 'demo' as never,
  peerId,
  leafKey: await library.generateLeafKey(),
  credential: peerId,
  validate: async (credential: string) => ({ peerId: credential as PeerId }),
});

/** The server lets somebody in who never came through the door, or was thrown out of it. */
async function smuggle(peerId: PeerId): Promise<void> {
  const epoch = world.delivery.epoch;
  const { commit, groupInfo } = await library.joinGroup(
    await credentialed(peerId),
    world.delivery.groupInfo ?? bytes(''),
  );
  const leaf = world.delivery.members.length;
  const members = [...world.delivery.members, { peerId, leaf, since: (epoch + 1) as Epoch }];
  world.delivery = { ...world.delivery, epoch: (epoch + 1) as Epoch, groupInfo, members };
  for (const stay of world.stays.values()) {
    world.tell(stay, [{ name: 'groupCommit', body: { epoch, sender: peerId, commit, removes: [] } }]);
  }
  await passUntil(() => ada.place?.members.includes(peerId) === true);
}

describe('who has no business in the group', () => {
  test('a ghost is seen by everybody, and members try to take it out', async () => {
    await smuggle('ghost' as PeerId);
    await passUntil(() => [ada, bob, cyd, dan].every((stay) => stay.warnings.length > 0));
    for (const stay of [ada, bob, cyd, dan]) expect(reasons(stay)).toEqual([['ghost', 'ghost', 'not-in-room']]);
    await passUntil(() => ada.refused.includes('COMMIT_INVALID'));
  });

  test('one who was thrown out and lets itself in again with the server’s help is seen and taken out', async () => {
    const ticket = world.delivery.nextTicket - 1;
    world.kick(dan);
    await passUntil(() => agree(ada, bob, cyd) && !ada.place?.members.includes(dan.peerId));
    expect(ticket).toBeGreaterThan(0);
    await smuggle(dan.peerId);
    await passUntil(() => ada.warnings.length > 0);
    expect(reasons(ada)[0]?.slice(1)).toEqual([dan.peerId, 'not-in-room']);
  });
});

describe('GroupInfo', () => {
  test('that was tampered with lets nobody in; the honest one does', async () => {
    let bent = 0;
    world.bend = (_, event) => {
      if (event.name !== 'groupJoin' || bent > 2) return [event];
      bent += 1;
      const groupInfo = event.body.groupInfo.slice();
      const at = Math.floor((groupInfo.length * bent) / 4);
      groupInfo[at] = (groupInfo[at] ?? 0) ^ 1;
      return [{ ...event, body: { ...event.body, groupInfo } }];
    };
    const eve = await world.enter('eve');
    await passUntil(() => eve.refused.length > 0);
    // Refused often enough it comes back as another Peer.
    await passUntil(() => agree(ada, bob, cyd, dan, world.stays.get('eve') ?? eve), 60_000);
    expect(bent).toBeGreaterThan(1);
  });
});

describe('messages', () => {
  test('replayed, changed, under another name, or of who was removed: heard once or never', async () => {
    let kept: Told<'groupMessage'> | undefined;
    world.bend = (to, event) => {
      if (event.name !== 'groupMessage' || to !== bob) return [event];
      kept = event;
      const sealed = event.body.sealed.slice();
      sealed[sealed.length - 1] = (sealed.at(-1) ?? 0) ^ 1;
      const changed: GroupTold = { ...event, body: { ...event.body, sealed } };
      return [changed, event, event];
    };
    await say(ada, bytes('once'), () => bob.heard.length > 0);
    await passSlowly(world, 2000);
    expect(bob.heard).toEqual([`${ada.peerId} once`]);
    expect(bob.refused.toSorted()).toEqual(['bad-signature', 'replayed']);
    world.bend = (to, event) =>
      event.name === 'groupMessage' && to === bob
        ? [{ ...event, body: { ...event.body, sender: cyd.peerId } }]
        : [event];
    await say(dan, bytes('I am Cyd'), () => bob.refused.length > 2);
    expect(bob.refused.at(-1)).toBe('wrong-sender');
    expect(kept).toBeDefined();

    // The server keeps Dan's last words back until Dan is out.
    const late: GroupTold[] = [];
    world.bend = (to, event) => {
      if (event.name !== 'groupMessage' || to !== cyd) return [event];
      late.push(event);
      return [];
    };
    await say(dan, bytes('too late'), () => late.length > 0);
    world.kick(dan);
    await passUntil(() => agree(ada, bob, cyd) && !ada.place?.members.includes(dan.peerId));
    const before = cyd.heard.length;
    world.tell(cyd, late);
    await passUntil(() => cyd.refused.length > 0);
    expect([cyd.refused, cyd.heard.length]).toEqual([['unknown-member'], before]);
  });
});
