/** Who is let into a group: the real library with real credentials, bundles, statements and a log; every lie has its own refusal. */
import type { PeerId } from '@veilcast/protocol';
import { beforeAll, describe, expect, test } from 'vitest';
import { claimsOf, library, newAuthority, reasonOf } from '../fixture.ts';
import type { GroupSelf, GroupState, ValidateCredential } from '../group.ts';
import { signatures } from '../pq/index.ts';
import { hexNameOf } from './bundle.ts';
import { CLOCK_SLACK_MS } from './check.ts';
import { Board, type Changes, member, newService, NOW, type Service } from './fixture.ts';

let service: Service;
let board: Board;
let host: GroupState;
let groupInfo: Uint8Array;

beforeAll(async () => {
  service = await newService();
  board = new Board();
  ({ state: host, groupInfo } = await library.createGroup(await member(service, board, 'host')));
});

/** The reason why the host does not take somebody's entry. The entrant's own client lets itself in. */
async function entry(peer: string, changes: Changes, before?: (peer: string) => void): Promise<string> {
  const entrant = await member(service, board, peer, changes);
  const { commit } = await library.joinGroup({ ...entrant, validate: credulous(entrant) }, groupInfo);
  before?.(peer);
  return reasonOf(library.applyCommit(host, commit));
}

/** Believes whatever it reads. */
function credulous({ peerId, credential }: GroupSelf): ValidateCredential {
  return async (read) => ({ peerId: read === credential ? peerId : ('host' as PeerId) });
}

test('whoever shows a bundle, a statement and a place in the log is taken, and known by user and key', async () => {
  const bob = await member(service, board, 'bob');
  const { commit } = await library.joinGroup(bob, groupInfo);
  const { added } = await library.applyCommit(host, commit);
  expect(added).toEqual(['bob']);
  const known = board.identities.find(({ peerId }) => peerId === 'bob');
  expect(known).toMatchObject({ user: 'of-bob', role: 'speaker', guest: false, key: bob.key.publicKey });
});

test('who another service vouches for is a member for those who believe that service, and for nobody else', async () => {
  const theirs = await signatures.generate();
  expect(await entry('kim', { root: theirs })).toBe('bad-bundle');
  board.vouchers = [theirs.publicKey];
  const own = await newService();
  const { state, groupInfo: theirGroup } = await library.createGroup(await member(own, board, 'cat', { root: theirs }));
  const outcomes = ['lea', 'max'].map(async (peer) => {
    const changes = peer === 'lea' ? { root: theirs } : {};
    const entrant = await member(own, board, peer, changes);
    const { commit } = await library.joinGroup({ ...entrant, validate: credulous(entrant) }, theirGroup);
    return reasonOf(library.applyCommit(state, commit));
  });
  // The cluster's own service, of the one who was let in by it.
  expect(await Promise.all(outcomes)).toEqual(['taken', 'bad-bundle']);
  board.vouchers = undefined;
});

const at = { expiresAt: NOW - CLOCK_SLACK_MS };
const another = new Uint8Array(16).fill(1);
const cases: [reason: string, changes: Changes | (() => Promise<Changes>)][] = [
  ['bad-bundle', async () => ({ root: await signatures.generate() })],
  ['bad-statement', async () => ({ signer: await signatures.generate() })],
  ['bundle-expired', { bundle: at }],
  ['bundle-expired', { bundle: { issuedAt: NOW + CLOCK_SLACK_MS + 1 } }],
  ['statement-expired', { statement: at }],
  ['other-user', { bundle: { user: 'of-somebody' as never } }],
  ['other-device', { bundle: { device: another } }],
  ['other-device', { statement: { device: another } }],
  ['other-room', { statement: { room: 'elsewhere' as never } }],
  ['other-leaf', { statement: { leaf: new Uint8Array(32) } }],
  ['other-bundle', { claims: { bundle: 'E'.repeat(43) } }],
];

describe('a member that cannot show who it is is refused, and the person is told of it', () => {
  test.each(cases.map(([reason, changes], n) => ({ reason, changes, peer: `liar-${n}` })))(
    '$reason ($peer)',
    async ({ reason, changes, peer }) => {
      expect(await entry(peer, typeof changes === 'function' ? await changes() : changes)).toBe(reason);
      expect(board.refused).toContainEqual([peer, reason]);
    },
  );

  test('no-attestation: a ghost that the server let in', async () => {
    expect(await entry('ghost', {}, (peer) => board.shown.delete(peer as PeerId))).toBe('no-attestation');
    expect(board.refused).toContainEqual(['ghost', 'no-attestation']);
  });

  test('not-logged: a bundle that the log does not show', async () => {
    const reason = await entry('unlogged', {}, (peer) => {
      const shown = board.shown.get(peer as PeerId)!;
      board.shown.set(peer as PeerId, { ...shown, head: board.shown.get('host' as PeerId)!.head });
    });
    expect(reason).toBe('not-logged');
  });

  test('bad-head: a head that somebody else signed, or nobody', async () => {
    const stranger = await newService();
    const heads = [await stranger.head(), new Uint8Array(10)];
    for (const [n, head] of heads.entries()) {
      const swap = (peer: string): void =>
        void board.shown.set(peer as PeerId, { ...board.shown.get(peer as PeerId)!, head });
      expect(await entry(`headless-${n}`, {}, swap)).toBe('bad-head');
    }
  });

  test('bad-attestation: bytes that are none', async () => {
    const reason = await entry('garbage', {}, (peer) => {
      const shown = board.shown.get(peer as PeerId)!;
      board.shown.set(peer as PeerId, { ...shown, attestation: shown.attestation.slice(1) });
    });
    expect(reason).toBe('bad-attestation');
  });

  test("somebody else's attestation", async () => {
    const reason = await entry('thief', {}, (peer) => {
      board.shown.set(peer as PeerId, board.shown.get('host' as PeerId)!);
    });
    expect(reason).toBe('other-bundle');
  });

  test("bad-credential: another Authentication Service's", async () => {
    const stranger = await newAuthority();
    const entrant = await member(service, board, 'foreign');
    const claims = claimsOf('foreign', entrant.leafKey.publicKey);
    const foreign = { ...entrant, credential: await stranger.sign(claims) };
    const { commit } = await library.joinGroup({ ...foreign, validate: credulous(foreign) }, groupInfo);
    expect(await reasonOf(library.applyCommit(host, commit))).toBe('bad-credential');
  });

  test('revoked: also when it was believed before', async () => {
    const entrant = await member(service, board, 'lost-phone');
    const { commit } = await library.joinGroup(entrant, groupInfo);
    expect((await library.applyCommit(host, commit)).added).toEqual(['lost-phone']);
    const key = hexNameOf(entrant.key.publicKey);
    board.revocations = { number: 1, issuedAt: NOW, revoked: [{ key, until: NOW }] };
    expect(await reasonOf(library.applyCommit(host, commit))).toBe('revoked');
    board.revocations = undefined;
  });
});

test('a newcomer checks everybody who is there already', async () => {
  const other = new Board();
  const late = await member(service, other, 'late');
  expect(await reasonOf(library.joinGroup(late, groupInfo))).toBe('no-attestation');
  expect(other.refused).toEqual([['host', 'no-attestation']]);
  other.shown.set('host' as PeerId, board.shown.get('host' as PeerId)!);
  await library.joinGroup(late, groupInfo);
  expect(other.identities.map(({ peerId }) => peerId).sort()).toEqual(['host', 'late']);
});
