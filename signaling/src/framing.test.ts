import type { Inspected } from '@veilcast/e2ee';
import type { Epoch, PeerId, RequestBody, RoomId } from '@veilcast/protocol';
import { expect, test } from 'vitest';
import { checkCommit, isOwnKeyPackage, type CommitContext } from './framing.ts';

const GROUP = new Uint8Array([1, 2, 3]);
const COMMIT = new Uint8Array([10]);
const INFO = new Uint8Array([20]);
const peer = (name: string) => name as PeerId;
const epoch = (number: number) => number as Epoch;

const context: CommitContext = {
  roomId: 'demo' as RoomId,
  groupId: GROUP,
  members: ['ada', 'bob', 'cid'].map((name, leaf) => ({ peerId: peer(name), leaf, since: epoch(0) })),
  sender: peer('ada'),
  credentialOf: (peerId) => `jws-of-${peerId}`,
};
const removal: RequestBody<'groupCommit'> = {
  epoch: epoch(4),
  commit: COMMIT,
  groupInfo: INFO,
  removes: [peer('cid')],
  adds: [],
};
const entry: RequestBody<'groupCommit'> = { ...removal, ticket: 7, removes: [] };
const WELCOME = new Uint8Array([30]);
const admission: RequestBody<'groupCommit'> = {
  ...removal,
  removes: [],
  adds: [peer('dan'), peer('eve')],
  welcome: WELCOME,
};
const creation: RequestBody<'groupCommit'> = { epoch: epoch(0), ticket: 0, groupInfo: INFO, removes: [], adds: [] };

const common = { groupId: GROUP, room: 'demo', external: false };
const info: Inspected = { ...common, kind: 'groupInfo', epoch: 5 };
const removing: Inspected = { ...common, kind: 'commit', epoch: 4, sender: 0, removes: [2], path: true };
const entering: Inspected = {
  ...common,
  kind: 'commit',
  epoch: 4,
  external: true,
  removes: [],
  path: true,
  credential: 'jws-of-ada',
};

function fits(
  body: RequestBody<'groupCommit'>,
  commit: Partial<Inspected> | null,
  made: Partial<Inspected> | null = {},
  over: Partial<CommitContext> = {},
): boolean {
  const base = body.ticket === undefined ? removing : entering;
  const inspect = (bytes: Uint8Array): Inspected | undefined =>
    bytes === WELCOME
      ? { ...common, kind: 'welcome', epoch: 0 }
      : bytes === INFO
        ? made
          ? { ...info, ...made }
          : undefined
        : commit
          ? { ...base, ...commit }
          : undefined;
  return checkCommit(body, { ...context, ...over }, inspect) !== undefined;
}

test('a removal, an entry and the making of a group are what they are said to be', () => {
  expect(fits(removal, {})).toBe(true);
  expect(fits(entry, {})).toBe(true);
  expect(fits(creation, null, { epoch: 0 }, { groupId: undefined })).toBe(true);
});

test.each<[string, Partial<Inspected> | null]>([
  ['no MLS message', null],
  ['a proposal', { kind: 'proposal' }],
  ['of another Room', { room: 'other' }],
  ['of another group of this Room', { groupId: new Uint8Array([9]) }],
  ['of another Epoch', { epoch: 3 }],
  ['an entry without a ticket', { external: true }],
  ['sent in the name of another leaf', { sender: 1 }],
  ['without an update path', { path: false }],
  ['removing nobody', { removes: [] }],
  ['removing somebody else', { removes: [1] }],
  ['removing one more', { removes: [1, 2] }],
])('a removal is refused that is %s', (_what, commit) => {
  expect(fits(removal, commit)).toBe(false);
});

const adding = { removes: [], adds: ['jws-of-dan', 'jws-of-eve'] };

test('an admission is what it is said to be', () => {
  expect(fits(admission, adding)).toBe(true);
  expect(isOwnKeyPackage(INFO, 'jws', () => ({ ...common, kind: 'keyPackage', epoch: 0, credential: 'jws' }))).toBe(
    true,
  );
});

test.each<[string, Partial<Inspected>, Partial<RequestBody<'groupCommit'>>?]>([
  ['adding nobody', { removes: [], adds: [] }],
  ['adding one more', { removes: [], adds: [...adding.adds, 'jws-of-fay'] }],
  ['adding somebody else', { removes: [], adds: ['jws-of-dan', 'jws-of-fay'] }],
  ['adding a ghost', { removes: [], adds: ['jws-of-dan', ''] }],
  ['in another order', { removes: [], adds: ['jws-of-eve', 'jws-of-dan'] }],
  ['without saying so', adding, { adds: [] }],
  ['with something else for a Welcome', adding, { welcome: COMMIT }],
  ['by one who enters', { ...adding, external: true }],
])('an admission is refused that is %s', (_what, commit, over = {}) => {
  expect(fits({ ...admission, ...over }, commit)).toBe(false);
});

test('a KeyPackage is refused under the credential of another, and when it is none', () => {
  const ofAda: Inspected = { ...common, kind: 'keyPackage', epoch: 0, credential: 'jws-of-ada' };
  expect(isOwnKeyPackage(INFO, 'jws-of-bob', () => ofAda)).toBe(false);
  expect(isOwnKeyPackage(INFO, 'jws-of-ada', () => ({ ...ofAda, kind: 'commit' }))).toBe(false);
  expect(isOwnKeyPackage(INFO, 'jws-of-ada', () => undefined)).toBe(false);
});

test.each<[string, Partial<Inspected> | null]>([
  ['no MLS message', null],
  ["a member's Commit", { external: false }],
  ['under the credential of another', { credential: 'jws-of-bob' }],
  ['taking somebody out', { removes: [1] }],
  ['of another Epoch', { epoch: 5 }],
])('an entry is refused that is %s', (_what, commit) => {
  expect(fits(entry, commit)).toBe(false);
});

test.each<[string, Partial<Inspected> | null]>([
  ['no MLS message', null],
  ['a Commit', { kind: 'commit' }],
  ['of another Room', { room: 'other' }],
  ['of the same Epoch', { epoch: 4 }],
  ['of another group', { groupId: new Uint8Array([9]) }],
])('a GroupInfo is refused that is %s', (_what, made) => {
  expect(fits(removal, {}, made)).toBe(false);
  expect(fits(entry, {}, made)).toBe(false);
});

test('a group is made by ticket only, and begins at Epoch 0', () => {
  const { ticket: _, ...unasked } = creation;
  expect(fits(unasked, null, { epoch: 0 })).toBe(false);
  expect(fits(creation, null, { epoch: 1 })).toBe(false);
});
