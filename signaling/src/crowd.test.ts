/** A crowd at a process: who waits in line is told so over the sealed channel, strangers never stand in it, and a full cluster names a time. */
import { ClusterError, PROTOCOL_VERSION, type Queued } from '@veilcast/protocol';
import { afterEach, expect, test } from 'vitest';
import { deviceFor, Fixture, LEAF_KEY, until, type Client } from './testing/fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

/** A join that wants to hear its place; resolves with what it heard and what came of it. */
async function join(client: Client, token: string, queue: boolean) {
  const heard: Queued[] = [];
  const device = await deviceFor(token).catch(() => Uint8Array.of(0));
  const body = { version: PROTOCOL_VERSION, token, leafKey: LEAF_KEY, device, probes: [], ...(queue && { queue }) };
  const wire = await client.wire();
  // Far shorter than the wait in line: each word begins the time anew.
  const answer = await wire.send({ id: 1, name: 'join', body }, 4_000, (queued) => void heard.push(queued));
  return { heard, answer };
}

test('those behind the burst hear their place until they are in, and those who did not ask just wait', async () => {
  fixture = await Fixture.open({ limits: { joinsPerSecond: 2, joinsBurst: 1 } });
  const token = await fixture.token();
  const clients = Array.from({ length: 5 }, () => fixture.client());
  await Promise.all(clients.map((client) => client.wire()));
  const joins = clients.map((client, at) => join(client, token, at !== 3));
  await until(async () => (await fixture.metric('veilcast_signaling_joins_waiting')) > 0, 'a line');
  const joined = await Promise.all(joins);
  for (const { answer } of joined) expect(answer).toMatchObject({ ok: true, result: { status: 'admitted' } });
  const first = joined.map(({ heard }) => heard[0]?.place ?? 0);
  expect(first.filter((place) => place > 0)).toHaveLength(joined[3]?.heard.length === 0 ? 3 : 4);
  expect(joined[3]?.heard).toEqual([]);
  for (const { heard } of joined) for (const { place, waitMs } of heard) expect(waitMs).toBe(place * 500);
  expect(await fixture.metric('veilcast_signaling_joins_waiting')).toBe(0);
});

test('a stranger does not stand in line, and a full line refuses with a time', async () => {
  fixture = await Fixture.open({ limits: { joinsPerSecond: 0.5, joinsBurst: 1, joinsWaitingMax: 1 } });
  await fixture.enter();
  const stranger = fixture.client();
  expect((await join(stranger, 'garbage', true)).answer).toMatchObject({ ok: false, error: { code: 'UNAUTHORIZED' } });
  const second = fixture.enter();
  await until(async () => (await fixture.metric('veilcast_signaling_joins_waiting')) === 1, 'one in line');
  const refusal: unknown = await fixture.enter().catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'OVERLOADED' });
  expect((refusal as ClusterError).retryMs).toBeGreaterThan(0);
  // The socket is as good as before: it may ask again.
  await second;
});

test('a full cluster refuses with its code and the time that the cascade-router named', async () => {
  fixture = await Fixture.open();
  fixture.cascade.answers.place = () => {
    throw new ClusterError('CLUSTER_FULL', undefined, { retryMs: 2_000 });
  };
  const refusal: unknown = await fixture.enter().catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'CLUSTER_FULL', retryMs: 2_000 });
});
