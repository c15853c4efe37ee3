/** Those who were let in come to the frozen keys, and what was made today is lived through in the same way. */
import { readFile } from 'node:fs/promises';
import type { PeerId, RoomId } from '@veilcast/protocol';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { offerOf } from './admission.ts';
import { fromHex, hex } from './channel/bytes.ts';
import { credentialValidator } from './credential.ts';
import { library, person, reasonOf, newAuthority } from './fixture.ts';
import { decodeMessage, inspect } from './framing.ts';
import type { GroupSelf, GroupState, Offer } from './group.ts';
import { epochOf, makeGroupVector, type GroupVector } from './group-vector.fixture.ts';
import { checkKeyPackage } from './mls/additions.ts';
import { suiteImpl } from './suite.ts';

type Comer = GroupVector['letIn'][number];
let frozen: GroupVector;
let made: GroupVector;
beforeAll(async () => {
  frozen = JSON.parse(await readFile(new URL('../vectors/groups.json', import.meta.url), 'utf8')) as GroupVector;
  made = await makeGroupVector();
});

function selfOf({ authority, room, now }: GroupVector, comer: Comer): GroupSelf {
  const roomId = room as RoomId;
  const leafKey = { publicKey: fromHex(comer.leafPublicKey), secretKey: fromHex(comer.leafSecretKey) };
  const validate = credentialValidator(authority, roomId, () => now);
  return { roomId, peerId: comer.peer as PeerId, leafKey, credential: comer.credential, validate };
}

function restored(comer: Comer): Offer {
  const message = decodeMessage(fromHex(comer.keyPackage));
  if (message?.wireformat !== 'mls_key_package') throw new Error('no KeyPackage');
  const initPrivateKey = fromHex(comer.initSeed);
  const keys = {
    initPrivateKey,
    hpkePrivateKey: fromHex(comer.leafSeed),
    signaturePrivateKey: fromHex(comer.leafSecretKey),
  };
  return offerOf({ keyPackage: message.keyPackage, keys });
}

describe.each([
  ['vectors/groups.json', () => frozen],
  ['one that is made now', () => made],
])('%s', (_what, vector) => {
  it('has KeyPackages that everybody takes, in their one encoding and under their names', async () => {
    const { hash } = await suiteImpl();
    for (const comer of vector().letIn) {
      const offer = restored(comer);
      expect(hex(offer.keyPackage)).toBe(comer.keyPackage);
      const message = decodeMessage(offer.keyPackage);
      if (message?.wireformat !== 'mls_key_package') throw new Error('no KeyPackage');
      expect(await reasonOf(checkKeyPackage(message.keyPackage))).toBe('taken');
      expect(hex(await makeKeyPackageRef(message.keyPackage, hash))).toBe(comer.keyPackageRef);
    }
  });

  it('is lived through by each who is let in: the same keys in each Epoch, the same words', async () => {
    for (const comer of vector().letIn) {
      let state: GroupState | undefined;
      let followed = 0;
      for (const step of vector().steps) {
        if (step.what === 'say') {
          if (state === undefined || step.by === comer.peer) continue;
          const { next, plaintext, sender } = await library.open(state, fromHex(step.sealed));
          state = next;
          expect([hex(plaintext), sender]).toEqual([step.plaintext, step.by]);
          continue;
        }
        const { what, by, commit, welcome, groupInfo, ...epoch } = step;
        if (what === 'admit') {
          const told = { groupInfo: fromHex(groupInfo), welcome: fromHex(welcome) };
          state = await library.joinByWelcome(selfOf(vector(), comer), restored(comer), told);
        } else if (state !== undefined) {
          const applied = await library.applyCommit(state, fromHex(commit));
          state = library.adopt(state, applied.next);
          expect([applied.by, applied.external]).toEqual([by, what === 'enter']);
        }
        if (state === undefined) continue;
        followed += 1;
        expect(await epochOf(state)).toEqual(epoch);
      }
      expect(followed).toBe(4);
    }
  });

  it('has Commits that a delivery service can read, and a GroupInfo in each Epoch that one can enter by', async () => {
    const { authority, room, now, letIn, steps } = vector();
    const inGroup = credentialValidator(authority, room as RoomId, () => now);
    const own = await newAuthority();
    const newcomer = await person(own, 'gil');
    const ownCredential = newcomer.validate;
    const validate: GroupSelf['validate'] = async (credential, key) =>
      (await ownCredential(credential, key)) ?? inGroup(credential, key);
    for (const step of steps) {
      if (step.what === 'say') continue;
      const groupInfo = fromHex(step.groupInfo);
      expect(await reasonOf(library.joinGroup({ ...newcomer, validate }, groupInfo))).toBe('taken');
      if (step.what === 'create') continue;
      const seen = inspect(fromHex(step.commit));
      expect(seen?.adds).toEqual(step.what === 'admit' ? letIn.map(({ credential }) => credential) : []);
    }
  });
});
