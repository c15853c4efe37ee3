/**
 * Joining and leaving re-key: with real members in a real call, the keys that somebody took along open nothing that is sent
 * after them, and a newcomer's open nothing that was sent before. A member who stays opens it all, so the checks can fail.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { types } from 'mediasoup';
import type { Browser, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { groupCode } from '@veilcast/e2ee';
import { RegionId } from '@veilcast/protocol';
import { decodeHeader, Keyring, unpackKeyId } from '@veilcast/sframe';
import { eventually, joinCall, openBrowser, reportOf } from './support/browser.ts';
import { makeFilm } from './support/film.ts';
import { library, Member, type KeptKeys } from './support/member.ts';
import { openTap, type Tap, type TappedFrame } from './support/tap.ts';

const ROOM = 'rekey';
/** Of every Epoch, at least. */
const FRAMES = 20;

let cluster: Cluster;
let browser: Browser;
let ada: Page;
let bob: Page;
let adasPeer = '';
let tap: Tap;
/** Stays throughout; comes before the other two and knows all keys. */
let stays: Member;
let leaves: Member;
let newcomer: Member;
/** The Epochs with `leaves`, with neither, and with `newcomer`. */
const epochs = { during: -1, between: -1, after: -1 };

beforeAll(async () => {
  cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu')], lan: false });
  browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), 6));
  ada = await joinCall(browser, cluster.origin, { room: ROOM, name: 'Ada' });
  await encrypted(ada, 1);
  bob = await joinCall(browser, cluster.origin, { room: ROOM, name: 'Bob' });
  await encrypted(bob, 2);
  adasPeer = (await reportOf(ada)).self.peerId;

  stays = await Member.enter(cluster.origin, ROOM);
  await membersOf(stays, 3);
  tap = await tapAda();
  leaves = await Member.enter(cluster.origin, ROOM);
  epochs.during = await recorded(4);
  const left = Date.now();
  await leaves.leave();
  epochs.between = await recorded(3);
  const first = framesOf(epochs.between)[0];
  console.log(`re-keyed: first frame under new keys ${(first?.at ?? Number.NaN) - left} ms after the goodbye`);
  newcomer = await Member.enter(cluster.origin, ROOM);
  epochs.after = await recorded(4);
  tap.close();
});

afterAll(async () => {
  tap?.close();
  for (const member of [stays, leaves, newcomer]) member?.line.close();
  await browser?.close();
  await cluster?.close();
});

async function encrypted(page: Page, members: number): Promise<void> {
  await eventually(
    `a group of ${members}`,
    () => reportOf(page),
    ({ e2ee }) => e2ee.state === 'encrypted' && e2ee.members === members && e2ee.framesSealed > 10,
    60_000,
  );
}

async function membersOf(member: Member, count: number): Promise<KeptKeys> {
  const keys = await eventually(
    `${count} members`,
    async () => member.now,
    (now) => now?.members.length === count,
    60_000,
  );
  if (!keys) throw new Error('no keys');
  return keys;
}

/** Waits until everybody is in an Epoch of so many, and enough of Ada's frames were sealed in it. */
async function recorded(members: number): Promise<number> {
  const { epoch } = await membersOf(stays, members);
  await eventually(
    `frames of Epoch ${epoch}`,
    async () => framesOf(epoch).length,
    (count) => count >= FRAMES,
    60_000,
  );
  return epoch;
}

async function tapAda(): Promise<Tap> {
  const producer = await eventually(
    "Ada's camera",
    async () => stays.producers.find(({ peerId, source }) => peerId === adasPeer && source === 'camera'),
    (found) => found !== undefined,
  );
  const [node] = cluster.nodes;
  const [worker] = node?.report().workers ?? [];
  const router = node?.routerOf(ROOM, worker?.workerId ?? '') as types.Router | undefined;
  if (!router || !producer) throw new Error('nothing to tap');
  return openTap(router, producer.producerId);
}

/** The low 8 bits of the Epoch that a frame says it was sealed in. */
function epochOf({ bytes }: TappedFrame): number {
  const header = decodeHeader(bytes.subarray(-2 - (bytes.at(-1) ?? 0), -2));
  return header ? unpackKeyId(Number(header.kid)).epoch : -1;
}

function framesOf(epoch: number): TappedFrame[] {
  return tap.frames().filter((frame) => epochOf(frame) === (epoch & 255));
}

/** How many of the frames of an Epoch these keys open, also when they are passed off as the keys of that Epoch. */
async function opened(epoch: number, keys: KeptKeys | undefined): Promise<number> {
  const since = stays.keys.find((each) => each.epoch === epoch)?.at;
  if (!keys || since === undefined) throw new Error('no keys');
  const ring = new Keyring();
  const members = new Map(keys.members.map(({ leaf, peerId }) => [leaf, peerId]));
  await ring.install({ epoch, baseKey: keys.baseKey.slice(), selfLeaf: keys.selfLeaf, members }, since);
  const opener = ring.opener({ peer: adasPeer });
  let count = 0;
  for (const { bytes, at } of framesOf(epoch)) {
    if ((await opener.open(bytes, { codec: 'vp8' }, Math.max(at, since))).kind === 'opened') count++;
  }
  return count;
}

function keysOf(member: Member, epoch: number): KeptKeys | undefined {
  return member.keys.find((each) => each.epoch === epoch);
}

it('a member who stays opens every frame of all three Epochs', async () => {
  expect(stays.failure).toBeUndefined();
  for (const epoch of Object.values(epochs)) {
    const count = await opened(epoch, keysOf(stays, epoch));
    console.log(`Epoch ${epoch}: ${count} of ${framesOf(epoch).length} frames opened by who stays`);
    expect(count).toBe(framesOf(epoch).length);
  }
});

it('who is in opens the frames of that time', async () => {
  expect(await opened(epochs.during, keysOf(leaves, epochs.during))).toBe(framesOf(epochs.during).length);
  expect(await opened(epochs.after, keysOf(newcomer, epochs.after))).toBe(framesOf(epochs.after).length);
});

it('who left opens nothing that was sent since, with any key ever held', async () => {
  for (const epoch of [epochs.between, epochs.after]) {
    for (const keys of leaves.keys) expect(await opened(epoch, keys), `Epoch ${keys.epoch} on ${epoch}`).toBe(0);
  }
});

it('who left cannot follow the Commits that came after either', async () => {
  const commit = stays.commits.get(epochs.during);
  if (!commit) throw new Error('nobody saw the Commit of the removal');
  await expect(library.applyCommit(stays.state, commit)).rejects.toThrow('group: wrong-epoch');
  const applied = await library.applyCommit(leaves.state, commit).catch(() => undefined);
  if (!applied) return;
  expect(applied.removed).toEqual([leaves.peerId]);
  const keys = await library.epochKeys(applied.next).catch(() => undefined);
  if (keys) expect(await opened(epochs.between, { ...keys, at: 0 })).toBe(0);
});

it('a newcomer opens nothing that was sent before, with any key ever held', async () => {
  expect(Math.min(...newcomer.keys.map(({ epoch }) => epoch))).toBe(epochs.after);
  for (const epoch of [epochs.during, epochs.between]) {
    for (const keys of newcomer.keys) expect(await opened(epoch, keys), `Epoch ${keys.epoch} on ${epoch}`).toBe(0);
  }
});

it('no frame is sealed under an Epoch that was over before', () => {
  const order = tap.frames().map((frame) => epochOf(frame));
  expect(order).toEqual(order.toSorted((one, other) => one - other));
});

it('the browsers went on through all of it, under the same code', async () => {
  const keys = await membersOf(stays, 4);
  const before = await reportOf(bob);
  expect(before.e2ee.code).toBe(groupCode(keys.authenticator));
  await eventually(
    'more pictures of Ada at Bob',
    () => reportOf(bob),
    ({ peers }) => decodedOf(peers) > decodedOf(before.peers),
  );
  function decodedOf(peers: typeof before.peers): number {
    return peers.find(({ peerId }) => peerId === adasPeer)?.video.framesDecoded ?? 0;
  }
});
