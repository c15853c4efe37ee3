/** Entering, racing, leaving, adopting: the laws that a client relies on. */
import type { PeerId, RoomId } from '@veilcast/protocol';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeGroupContext } from 'ts-mls/groupContext.js';
import { signGroupInfo } from 'ts-mls/groupInfo.js';
import { encodeMlsMessage } from 'ts-mls/message.js';
import { type Authority, groupOf, library, newAuthority, person, reasonOf, seeded } from './fixture.ts';
import { decodeMessage } from './framing.ts';
import type { GroupState } from './group.ts';
import { contentOf } from './state.ts';
import { suiteImpl } from './suite.ts';

const peers = (...ids: string[]): PeerId[] => ids as PeerId[];

let authority: Authority;
let ada: GroupState;
let bob: GroupState;
let cyd: GroupState;
let groupInfo: Uint8Array;
beforeAll(async () => {
  authority = await newAuthority();
});
beforeEach(async () => {
  const group = await groupOf(authority, ['ada', 'bob', 'cyd']);
  [ada, bob, cyd] = group.states as [GroupState, GroupState, GroupState];
  ({ groupInfo } = group);
});

async function baseKeyOf(state: GroupState): Promise<string> {
  return Buffer.from((await library.epochKeys(state)).baseKey).toString('hex');
}

describe('entering', () => {
  it('undecodable: random bytes, cut ones, other messages', async () => {
    const dan = await person(authority, 'dan');
    const pick = seeded(3);
    for (let round = 0; round < 1000; round++) {
      const bytes = Uint8Array.from({ length: pick(120) }, () => pick(256));
      expect(await reasonOf(library.joinGroup(dan, bytes))).toBe('undecodable');
    }
    for (let length = 0; length < groupInfo.length; length += 200) {
      expect(await reasonOf(library.joinGroup(dan, groupInfo.subarray(0, length)))).toBe('undecodable');
    }
    const { commit } = await library.commitRemoval(ada, []);
    expect(await reasonOf(library.joinGroup(dan, commit))).toBe('undecodable');
  });

  it('never takes a GroupInfo with a changed bit', async () => {
    const dan = await person(authority, 'dan');
    const pick = seeded(5);
    for (let round = 0; round < 60; round++) {
      const changed = groupInfo.slice();
      const at = pick(changed.length);
      changed[at] = (changed[at] ?? 0) ^ (1 << pick(8));
      expect(await reasonOf(library.joinGroup(dan, changed))).not.toMatch(/taken|threw/);
    }
  });

  it('wrong-group: the group of another Room', async () => {
    const dan = { ...(await person(authority, 'dan')), roomId: 'other' as RoomId };
    expect(await reasonOf(library.joinGroup(dan, groupInfo))).toBe('wrong-group');
  });

  it('bad-credential: a group that somebody without a credential made, or sits in', async () => {
    const stranger = await newAuthority();
    const forged = await groupOf(stranger, ['ada', 'bob']);
    const dan = await person(authority, 'dan');
    expect(await reasonOf(library.joinGroup(dan, forged.groupInfo))).toBe('bad-credential');
  });

  it('not-allowed: a group with extensions, such as somebody outside who may send', async () => {
    const message = decodeMessage(groupInfo);
    if (message?.wireformat !== 'mls_group_info') throw new Error('no GroupInfo');
    const { signature: _, ...content } = message.groupInfo;
    const extension = { extensionType: 'external_senders' as const, extensionData: new Uint8Array(4) };
    content.groupContext = { ...content.groupContext, extensions: [extension] };
    const secretKey = contentOf(cyd).mls.signaturePrivateKey;
    const signed = await signGroupInfo(content, secretKey, (await suiteImpl()).signature);
    const bytes = encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo: signed });
    expect(await reasonOf(library.joinGroup(await person(authority, 'dan'), bytes))).toBe('not-allowed');
  });

  it('again, by somebody who lost step: takes its own old seat and nobody else notices', async () => {
    const { commit, next, removes } = await library.joinGroup(await person(authority, 'bob'), groupInfo);
    expect(removes).toEqual(['bob']);
    const applied = await library.applyCommit(ada, commit);
    expect([applied.added, applied.removed]).toEqual([[], []]);
    const { members } = await library.epochKeys(applied.next);
    expect(members.map(({ peerId }) => peerId).toSorted()).toEqual(['ada', 'bob', 'cyd']);
    expect(await baseKeyOf(applied.next)).toBe(await baseKeyOf(next));
    expect(await reasonOf(library.applyCommit(bob, commit))).toBe('removed');
  });
});

describe('races', () => {
  it('the loser keeps its state, talks on, and follows the winner', async () => {
    const winner = await library.commitRemoval(ada, peers('cyd'));
    const loser = await library.commitRemoval(bob, peers('cyd'));
    const said = await library.seal(bob, new Uint8Array([1]));
    expect((await library.open(ada, said.sealed)).sender).toBe('bob');
    library.discard(loser.next);
    const followed = await library.applyCommit(library.adopt(bob, said.next), winner.commit);
    expect(await baseKeyOf(followed.next)).toBe(await baseKeyOf(library.adopt(ada, winner.next)));
    expect(followed.removed).toEqual(['cyd']);
  });

  it('two who enter at once: the second one enters anew', async () => {
    const first = await library.joinGroup(await person(authority, 'dan'), groupInfo);
    const self = await person(authority, 'eve');
    const late = await library.joinGroup(self, groupInfo);
    const applied = await library.applyCommit(ada, first.commit);
    expect(await reasonOf(library.applyCommit(applied.next, late.commit))).toBe('wrong-epoch');
    const again = await library.joinGroup(self, first.groupInfo);
    expect((await library.applyCommit(applied.next, again.commit)).added).toEqual(['eve']);
  });
});

describe('removing', () => {
  it('refuses strangers, oneself and the same one twice', async () => {
    expect(await reasonOf(library.commitRemoval(ada, peers('zoe')))).toBe('unknown-member');
    expect(await reasonOf(library.commitRemoval(ada, peers('ada')))).toBe('not-allowed');
    expect(await reasonOf(library.commitRemoval(ada, peers('bob', 'bob')))).toBe('not-allowed');
  });

  it('of nobody renews the keys all the same', async () => {
    const renewed = await library.commitRemoval(ada, []);
    const applied = await library.applyCommit(bob, renewed.commit);
    expect(await baseKeyOf(applied.next)).toBe(await baseKeyOf(renewed.next));
    expect(await baseKeyOf(applied.next)).not.toBe(await baseKeyOf(bob));
  });

  it('leaves nothing in the Commit that any key of the removed member opens', async () => {
    const group = await groupOf(authority, ['p0', 'p1', 'p2', 'p3', 'p4']);
    const victim = group.states[2];
    const suite = await suiteImpl();
    const tries = { opened: 0, refused: 0 };
    const attempt = async (commit: Uint8Array, next: GroupState, keys: Record<number, Uint8Array>) => {
      const message = decodeMessage(commit);
      if (message?.wireformat !== 'mls_public_message' || message.publicMessage.content.contentType !== 'commit')
        return;
      const { groupContext } = contentOf(next).mls;
      const before = contentOf(victim).mls.groupContext;
      const context = encodeGroupContext({ ...before, epoch: before.epoch + 1n, treeHash: groupContext.treeHash });
      for (const node of message.publicMessage.content.commit.path?.nodes ?? []) {
        for (const { kemOutput, ciphertext } of node.encryptedPathSecret) {
          for (const secret of Object.values(keys)) {
            const key = await suite.hpke.importPrivateKey(secret);
            await suite.hpke.open(key, kemOutput, ciphertext, infoOf('UpdatePathNode', context)).then(
              () => tries.opened++,
              () => tries.refused++,
            );
          }
        }
      }
    };
    const { privateKeys } = contentOf(victim).mls.privatePath;
    const renewal = await library.commitRemoval(group.states[0], []);
    await attempt(renewal.commit, renewal.next, privateKeys);
    // The attempt itself is right: what is meant for a member opens.
    expect(tries.opened).toBeGreaterThan(0);
    tries.opened = 0;
    const removal = await library.commitRemoval(group.states[0], peers('p2'));
    await attempt(removal.commit, removal.next, privateKeys);
    expect(tries.opened).toBe(0);
    expect(tries.refused).toBeGreaterThan(0);
  });
});

describe('states', () => {
  it('show no secret to whoever prints, copies or compares them', () => {
    expect(Object.keys(ada).toSorted()).toEqual(['brand', 'epoch', 'roomId', 'self']);
    expect(JSON.stringify(ada)).toBe(JSON.stringify({ roomId: 'demo', epoch: 2, self: 'ada', brand: 'GroupState' }));
  });

  it('that are copies are not states', async () => {
    expect(await reasonOf(library.epochKeys({ ...ada }))).toBe('library');
  });

  it('keep no more than one Epoch back', async () => {
    let state = ada;
    for (let n = 0; n < 5; n++) {
      const { next } = await library.commitRemoval(state, []);
      state = library.adopt(state, next);
      expect(contentOf(state).mls.historicalReceiverData.size).toBe(1);
    }
  });

  it('that were replaced hold no secret of their Epoch any more', async () => {
    const { keySchedule } = contentOf(ada).mls;
    const { next } = await library.commitRemoval(ada, peers('cyd'));
    const secrets = () => [keySchedule.initSecret, keySchedule.exporterSecret, keySchedule.membershipKey];
    expect(secrets().some((secret) => secret.every((byte) => byte === 0))).toBe(false);
    library.adopt(ada, next);
    expect(secrets().every((secret) => secret.every((byte) => byte === 0))).toBe(true);
  });

  it('hold no secret of a leaf of two Epochs back, and those of one back as long as late messages come', async () => {
    const { sealed } = await library.seal(bob, new TextEncoder().encode('late'));
    const first = library.adopt(ada, (await library.commitRemoval(ada, [])).next);
    const { secrets: ofAda } = contentOf(ada);
    const { next: read } = await library.open(first, sealed);
    expect([...ofAda.unopened.values()].flatMap((secret) => [...secret]).some((byte) => byte !== 0)).toBe(true);
    const now = library.adopt(first, read);
    const { formerSecrets } = contentOf(now);
    library.adopt(now, (await library.commitRemoval(now, [])).next);
    const left = [...ofAda.unopened.values(), ...(formerSecrets?.unopened.values() ?? [])];
    expect(left.flatMap((secret) => [...secret]).every((byte) => byte === 0)).toBe(true);
    expect(formerSecrets?.tree.some(({ application }) => application.secret.some((byte) => byte !== 0))).toBe(false);
  });

  it('that were discarded hold none', async () => {
    const { next } = await library.commitRemoval(ada, []);
    library.discard(next);
    const { mls, secrets } = contentOf(next);
    const all = [...Object.values(mls.keySchedule), ...secrets.unopened.values()];
    expect(all.flatMap((secret) => [...secret]).every((byte) => byte === 0)).toBe(true);
    expect(await baseKeyOf(ada)).toBe(await baseKeyOf(bob));
  });
});

/** RFC 9420 §5.1.3: EncryptContext. */
function infoOf(label: string, context: Uint8Array): Uint8Array {
  return Uint8Array.from([...vectorOf(new TextEncoder().encode(`MLS 1.0 ${label}`)), ...vectorOf(context)]);
}

/** Bytes with their length in front (RFC 9000 §16). */
function vectorOf(bytes: Uint8Array): number[] {
  const { length } = bytes;
  return length < 64 ? [length, ...bytes] : [0x40 | (length >> 8), length & 255, ...bytes];
}
