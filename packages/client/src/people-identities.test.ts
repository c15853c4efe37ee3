import { newDevice, type MemberIdentity } from '@veilcast/e2ee/identity';
import type { ParticipantId, PeerId } from '@veilcast/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CallSnapshot, PersonIdentity } from './call.ts';
import { guestIdentity } from './device/identity.ts';
import { memoryMarks } from './device/marks.ts';
import { PeopleIdentities } from './people-identities.ts';

const ROOT = new Uint8Array(1952).fill(9);
const ADA = 'ada' as ParticipantId;

async function somebody(peer: string, user: string): Promise<MemberIdentity> {
  const { device, publicKey } = await newDevice();
  return { peerId: peer as PeerId, user: user as ParticipantId, role: 'speaker', device, guest: false, key: publicKey };
}

/** One person's side of a call. */
async function side(user: ParticipantId, marks = memoryMarks()) {
  const drawn = new Map<PeerId, PersonIdentity>();
  let own: CallSnapshot['self']['identity'];
  const identity = await guestIdentity();
  const people = new PeopleIdentities({
    urls: () => ['http://nowhere.invalid'],
    identity,
    marks,
    heads: { get: async () => undefined, put: async () => undefined },
    warned: () => undefined,
    store: { setSelf: (patch) => (own = patch.identity) },
    picture: { people: { identity: (peerId, shown) => drawn.set(peerId, shown) } },
  });
  await people.sitDown(user, ROOT);
  return { people, drawn, marks, identity, own: () => own };
}

describe('whom we know', () => {
  let bob: MemberIdentity;
  let ada: Awaited<ReturnType<typeof side>>;
  beforeEach(async () => {
    [bob, ada] = await Promise.all([somebody('peer-b', 'bob'), side(ADA)]);
    await ada.people.identified(bob);
  });

  it('draws who somebody is, and who we are', () => {
    expect(ada.drawn.get(bob.peerId)).toMatchObject({ user: 'bob', verified: 'no', guest: false });
    expect(ada.drawn.get(bob.peerId)?.fingerprint).toMatch(/^([0-9a-f]{4} ){11}[0-9a-f]{4}$/);
    expect(ada.own()).toMatchObject({ user: 'ada', guest: true, fingerprint: ada.identity.fingerprint });
  });

  it('keeps a mark for the key that was compared, and says when another one comes', async () => {
    await ada.people.verify(bob.peerId, true);
    expect(ada.drawn.get(bob.peerId)?.verified).toBe('yes');
    const later = await side(ADA, ada.marks);
    await later.people.identified({ ...bob, peerId: 'peer-c' as PeerId });
    expect(later.drawn.get('peer-c' as PeerId)?.verified).toBe('yes');
    await later.people.identified({ ...(await somebody('peer-d', 'bob')) });
    expect(later.drawn.get('peer-d' as PeerId)?.verified).toBe('changed');
    await later.people.identified({ ...bob, peerId: 'peer-e' as PeerId, user: 'eve' as ParticipantId });
    expect(later.drawn.get('peer-e' as PeerId)?.verified).toBe('no');
    await later.people.verify('peer-c' as PeerId, false);
    expect(later.drawn.get('peer-c' as PeerId)?.verified).toBe('no');
    expect(later.drawn.get('peer-d' as PeerId)?.verified).toBe('no');
  });

  it('gives both the same number to compare, and another for anybody else', async () => {
    const other = await side('bob' as ParticipantId);
    await ada.people.identified({ ...bob, key: other.identity.publicKey });
    await other.people.identified({ ...bob, peerId: 'peer-a' as PeerId, user: ADA, key: ada.identity.publicKey });
    const number = ada.people.safetyNumber(bob.peerId);
    expect(other.people.safetyNumber('peer-a' as PeerId)).toEqual(number);
    expect(number.digits).toMatch(/^(\d{5} ){11}\d{5}$/);
    await ada.people.identified(await somebody('peer-b', 'bob'));
    expect(ada.people.safetyNumber(bob.peerId).digits).not.toBe(number.digits);
  });

  it('knows nothing of a Peer that showed nothing', async () => {
    const nobody = 'peer-x' as PeerId;
    expect(() => ada.people.safetyNumber(nobody)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    await expect(ada.people.verify(nobody, true)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
