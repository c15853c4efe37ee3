/** A server that keeps two logs, rewrites one, or vouches for others in our name is found out; an honest one never is. */
import { logEntry, signHead, toBase64Url } from '@veilcast/e2ee/identity';
import { signatures, type SigningKey } from '@veilcast/e2ee/pq';
import { ClusterError, type PeerId } from '@veilcast/protocol';
import { leafHash, MerkleLog } from '@veilcast/translog';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { LogWatch, type RememberedHead } from './log-watch.ts';
import type { GroupWarning } from './workers/messages.ts';

const KEY = new Uint8Array(1952).fill(1);
const BOB = 'bob' as PeerId;
let root: SigningKey;
beforeAll(async () => {
  root = await signatures.generate();
});

/** What a server keeps and answers. */
class Keeper {
  readonly log = new MerkleLog();
  readonly entries: Uint8Array[] = [];
  down = false;

  add(user: string, key: Uint8Array, n = this.log.size): this {
    const entry = logEntry({ user, key, bundle: Uint8Array.of(n >> 8, n & 255) });
    this.entries.push(entry);
    this.log.append(leafHash(entry));
    return this;
  }

  head(size = this.log.size, by = root): Promise<Uint8Array> {
    return signHead({ size, root: this.log.root(size), at: 1 }, by);
  }

  readonly ask = async (path: string): Promise<unknown> => {
    if (this.down) throw new TypeError('nobody answers');
    const url = new URL(path, 'http://x');
    const [from, to] = [Number(url.searchParams.get('from')), Number(url.searchParams.get('to'))];
    if (to > this.log.size) throw new ClusterError('NOT_FOUND');
    if (url.pathname.endsWith('consistency')) return { path: this.log.consistency(from, to).map(toBase64Url) };
    const entries = toBase64Url(new Uint8Array(Buffer.concat(this.entries.slice(from, to))));
    return { frontier: this.log.frontier(from).hashes.map(toBase64Url), entries };
  };
}

let warnings: GroupWarning[];
let remembered: RememberedHead | undefined;
let keeper: Keeper;

beforeEach(() => {
  warnings = [];
  remembered = undefined;
  keeper = new Keeper();
});

function watch(by: () => Keeper = () => keeper): LogWatch {
  return new LogWatch({
    root: root.publicKey,
    own: { user: 'ada', key: KEY },
    ask: (path) => by().ask(path),
    memory: { get: async () => remembered, put: async (_, one) => void (remembered = one) },
    now: () => 5,
    warned: (warning) => warnings.push(warning),
  });
}

function grow(to: Keeper, count: number, user = 'somebody'): Keeper {
  for (let i = 0; i < count; i++) to.add(user, KEY);
  return to;
}

test('a log that only grows is never warned of, whoever shows which head, and over visits', async () => {
  const log = watch();
  for (let i = 0; i < 40; i++) {
    grow(keeper, (i % 7) + 1, i % 2 ? 'ada' : 'bob');
    await log.seen(await keeper.head(1 + ((i * 13) % keeper.log.size)), i % 3 ? BOB : undefined);
    await log.seen(await keeper.head(), undefined);
  }
  await watch().seen(await grow(keeper, 3).head(), undefined);
  expect(warnings).toEqual([]);
  expect(remembered?.looked).toBe(keeper.log.size);
});

test('a fork is shown with both heads, whoever brings the other side', async () => {
  const other = grow(new Keeper().add('eve', KEY), 5);
  grow(keeper, 6);
  const log = watch();
  const [ours, theirs] = [await keeper.head(), await other.head()];
  await log.seen(ours, undefined);
  await log.seen(theirs, BOB);
  expect(warnings).toEqual([
    { kind: 'logFork', at: 5, epoch: 0, peers: [BOB], reason: 'fork', heads: [toBase64Url(ours), toBase64Url(theirs)] },
  ]);
  // Longer, with what the server has of it.
  await log.seen(await grow(other, 4).head(), undefined);
  expect(warnings.map(({ reason }) => reason)).toEqual(['fork', 'fork']);
});

test('a log that was begun anew, or cut, between two visits', async () => {
  await watch().seen(await grow(keeper, 9).head(), undefined);
  keeper = grow(new Keeper().add('eve', KEY), 3);
  await watch().seen(await keeper.head(), undefined);
  expect(warnings.map(({ kind, reason }) => [kind, reason])).toEqual([['logFork', 'fork']]);
});

test('a head that another has signed, and bytes that are none', async () => {
  const log = watch();
  await log.seen(await keeper.add('bob', KEY).head(1, await signatures.generate()), BOB);
  await log.seen(new Uint8Array(20), BOB);
  expect(warnings.map(({ reason }) => reason)).toEqual(['bad-head', 'bad-head']);
  expect(log.latest).toBeUndefined();
});

test('a bundle in our name for another device is told of, once', async () => {
  const log = watch();
  await log.seen(await keeper.add('ada', KEY).head(), undefined);
  expect(warnings).toEqual([]);
  await log.seen(await keeper.add('ada', new Uint8Array(1952).fill(2)).head(), undefined);
  await log.seen(await grow(keeper, 2).head(), undefined);
  expect(warnings).toMatchObject([{ kind: 'otherDevice', reason: '1' }]);
});

test('entries that are not those of the head', async () => {
  const other = grow(new Keeper().add('eve', KEY), 5);
  grow(keeper, 6);
  const log = watch(() => other);
  await log.seen(await keeper.head(), undefined);
  expect(warnings).toMatchObject([{ kind: 'logFork', reason: 'entries' }]);
});

test('nobody answers: nothing is said, and the next head is compared', async () => {
  const log = watch();
  await log.seen(await grow(keeper, 3).head(), undefined);
  keeper.down = true;
  await log.seen(await grow(keeper, 3).head(), undefined);
  keeper = grow(new Keeper().add('eve', KEY), 9);
  await log.seen(await keeper.head(), undefined);
  expect(warnings).toMatchObject([{ kind: 'logFork', reason: 'fork' }]);
});
