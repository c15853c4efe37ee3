/** Certificates and authorities change while requests go back and forth: none of them fails. */
import {
  dropOldAuthorities,
  filesOf,
  initFolder,
  issueInto,
  renewFolder,
  revokeIn,
  rotateAuthority,
} from '@veilcast/ca';
import { acceptChannels, openNeighbours, type Channel, type Neighbours } from '@veilcast/control';
import { credentialFiles, http2Carrier, type Http2Carrier } from '@veilcast/control/http2';
import { seededRandom } from '@veilcast/testkit';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clock, CLUSTER, FAR, freePort, NEAR } from './processes.ts';

/** A look at the files every 20 ms instead of every 2 s. */
const often = { ...clock, every: (ms: number, run: () => void) => clock.every(ms === 2_000 ? 20 : ms, run) };
const serve = async () => undefined;
const hello = ({ kind, processId, region }: typeof NEAR) => ({ kind, processId, region, incarnation: 'one' });

let folder: string;
const ends: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veilcast-ca-'));
  await initFolder(folder, { cluster: CLUSTER, now: Date.now() });
  for (const one of [NEAR, FAR]) await issueInto(folder, { ...one, now: Date.now() });
});
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  await rm(folder, { recursive: true });
});

async function carrier(who: typeof NEAR, reports: unknown[] = [], renewWithinMs = 300): Promise<Http2Carrier> {
  const credentials = await credentialFiles(filesOf(folder, who), {
    clock: often,
    report: (error) => reports.push(error),
  });
  ends.push(() => credentials.close());
  return http2Carrier({
    credentials,
    clock,
    random: seededRandom(1),
    limits: { renewWithinMs, dialMs: 1_000, lingerMs: 100 },
  });
}

interface Running {
  readonly near: Http2Carrier;
  readonly neighbours: Neighbours;
  readonly came: Channel[];
  readonly told: string[];
  readonly reports: unknown[];
  /** Until it resolves, requests go one after another; it resolves with what failed. */
  readonly stopAsking: () => Promise<unknown[]>;
}

async function running(renewWithinMs?: number): Promise<Running> {
  const reports: unknown[] = [];
  const far = await carrier(FAR, reports, renewWithinMs);
  const near = await carrier(NEAR, reports, renewWithinMs);
  const address = `127.0.0.1:${await freePort()}`;
  const came: Channel[] = [];
  const accepted = await acceptChannels({
    carrier: far,
    address,
    hello: hello(FAR),
    serve,
    clock,
    onChannel: (one) => came.push(one),
  });
  ends.push(() => accepted.close());
  const value = JSON.stringify({ ...hello(FAR), address });
  const neighbours = openNeighbours({
    kind: 'sfu-node',
    directory: { watch: (_prefix, listener) => (listener([{ value }]), () => undefined) },
    carrier: near,
    clock,
    random: seededRandom(1),
    hello: hello(NEAR),
    serve,
  });
  ends.push(() => neighbours.close());
  const told: string[] = [];
  neighbours.onCome(() => told.push('came'));
  neighbours.onGo(() => told.push('went'));
  await expect.poll(() => told).toEqual(['came']);
  const asking = new AbortController();
  const failed: unknown[] = [];
  const done = (async () => {
    while (!asking.signal.aborted) {
      await neighbours
        .get(FAR.processId)!
        .channel.request('closeRoom', {})
        .catch((error: unknown) => failed.push(error));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })().catch((error: unknown) => failed.push(error));
  const stopAsking = async (): Promise<unknown[]> => {
    asking.abort();
    await done;
    return failed;
  };
  return { near, neighbours, came, told, reports, stopAsking };
}

test('renewed certificates are taken by new links, and the old ones make room without a request lost', async () => {
  const { near, came, told, reports, stopAsking } = await running();
  const before = near.links()[0]?.expiresAt ?? 0;
  await renewFolder(folder, { all: true, now: Date.now() + 60_000 });
  await expect.poll(() => near.links().some((link) => link.expiresAt > before), { timeout: 5_000 }).toBe(true);
  await expect.poll(() => came[0]?.closed, { timeout: 5_000 }).toBe(true);
  expect(await stopAsking()).toEqual([]);
  expect(told).not.toContain('went');
  expect(reports.every((one) => /do not fit together/.test(String(one)))).toBe(true);
});

test('another authority takes the place of the first in three steps without a request lost', async () => {
  // Both ends must have read their files within it, on a machine that does much else.
  const { near, came, told, stopAsking } = await running(2_000);
  for (const step of [
    () => rotateAuthority(folder, { now: Date.now() }),
    () => renewFolder(folder, { all: true, now: Date.now() }),
    () => dropOldAuthorities(folder),
  ]) {
    const before = came.length;
    await step();
    // As an operator does: the next step when every link of before is gone.
    await expect.poll(() => came.slice(0, before).every((one) => one.closed), { timeout: 10_000 }).toBe(true);
  }
  expect(await stopAsking()).toEqual([]);
  expect(told).not.toContain('went');
  expect(near.links().length).toBeGreaterThan(0);
});

test('a revoked process is not let in again, and what it has open ends within the bound', async () => {
  const { near, came, stopAsking } = await running();
  await revokeIn(folder, { kind: NEAR.kind, processId: NEAR.processId, now: Date.now() });
  await expect.poll(() => came.every((channel) => channel.closed), { timeout: 5_000 }).toBe(true);
  await stopAsking();
  await expect.poll(() => near.links(), { timeout: 3_000 }).toEqual([]);
});

test('a link ends with the certificate of its other side', async () => {
  const soon = Date.now() - 86_400_000 + 1_500;
  await issueInto(folder, { ...NEAR, days: 1, now: soon, replace: true });
  const far = await carrier(FAR, [], 50);
  const near = await carrier(NEAR, [], 50);
  const address = `127.0.0.1:${await freePort()}`;
  const reasons: unknown[] = [];
  const listening = await far.listen(address, (link) => link.onClose((reason) => reasons.push(reason?.code)));
  ends.push(() => listening.close());
  const link = await near.dial(address);
  let stale = 0;
  link.onStale?.(() => (stale += 1));
  await expect.poll(() => stale, { timeout: 3_000 }).toBe(1);
  expect(reasons).toEqual([]);
  await expect.poll(() => reasons, { timeout: 4_000 }).toEqual(['UNAUTHORIZED']);
  await expect(near.dial(address)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
});

test('what does not fit together is reported once and not taken', async () => {
  const reports: unknown[] = [];
  const near = await carrier(NEAR, reports);
  const { certFile } = filesOf(folder, NEAR);
  await writeFile(certFile, 'no certificate');
  await expect.poll(() => reports.length).toBe(1);
  await issueInto(folder, { ...FAR, now: Date.now(), replace: true });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(reports).toHaveLength(1);
  expect(near.identity).toEqual(NEAR);
});

test('a certificate of another process is not taken in the place of ours', async () => {
  const reports: unknown[] = [];
  await carrier(NEAR, reports);
  const from = filesOf(folder, FAR);
  const to = filesOf(folder, NEAR);
  await writeFile(to.keyFile, await readFile(from.keyFile));
  await writeFile(to.certFile, await readFile(from.certFile));
  await expect.poll(() => String(reports.at(-1))).toContain('names another process');
});
