/** What a network and a process do that does not say goodbye: noticed within a bound, with nothing left behind. */
import { acceptChannels, connectChannel, openNeighbours, type Channel } from '@veilcast/control';
import { seededRandom } from '@veilcast/testkit';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { carrierOf, clock, FAR, freePort, NEAR } from './processes.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const serve = async () => undefined;
const nearSays = { kind: NEAR.kind, processId: NEAR.processId, incarnation: 'one', region: NEAR.region };
const farSays = { kind: FAR.kind, processId: FAR.processId, incarnation: 'two', region: FAR.region };
const limits = { pingMs: 50, suspectMs: 200 };

/** A path that can be cut without anybody being told: bytes are read and thrown away. */
async function path(to: number) {
  let isCut = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const [from, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => void (isCut || other.write(bytes)));
      from.on('close', () => void (isCut || other.destroy()));
      from.on('error', () => undefined);
    }
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    address: `127.0.0.1:${port}`,
    cut: () => (isCut = true),
    heal: () => (isCut = false),
  };
}

async function pair() {
  const port = await freePort();
  const far = await carrierOf(FAR, { limits: { lingerMs: 100, handshakeMs: 500 } });
  const near = await carrierOf(NEAR, { limits: { lingerMs: 100, dialMs: 500 } });
  const came: Channel[] = [];
  const accepted = await acceptChannels({
    carrier: far,
    address: `127.0.0.1:${port}`,
    hello: farSays,
    serve,
    clock,
    limits,
    onChannel: (channel) => came.push(channel),
  });
  ends.push(() => accepted.close());
  return { port, near, far, came };
}

test('a path that carries nothing any more is noticed at both ends, though no socket closes', async () => {
  const { port, near, far, came } = await pair();
  const { address, cut } = await path(port);
  const channel = await connectChannel({ carrier: near, address, hello: nearSays, serve, clock, limits });
  await channel.request('closeRoom', {});
  const asked = channel.request('closeRoom', {}, { deadlineMs: 5_000 });
  await asked;
  cut();
  const waiting = channel.request('closeRoom', {}, { deadlineMs: 30_000 }).catch((error: unknown) => error);
  // Told by the end of the Channel, long before the deadline.
  await expect(waiting).resolves.toMatchObject({ code: 'CHANNEL_CLOSED' });
  expect(channel.closed).toBe(true);
  await expect.poll(() => came[0]?.closed).toBe(true);
  await expect.poll(() => [near.links(), far.links()], { timeout: 3_000 }).toEqual([[], []]);
  await expect(near.dial(address)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
});

test('a neighbour behind a cut goes, and comes back when it heals', async () => {
  const { port, near } = await pair();
  const { address, cut, heal } = await path(port);
  const value = JSON.stringify({ ...farSays, address });
  const neighbours = openNeighbours({
    kind: 'sfu-node',
    directory: { watch: (_prefix, listener) => (listener([{ value }]), () => undefined) },
    carrier: near,
    clock,
    random: seededRandom(1),
    hello: nearSays,
    serve,
    limits,
  });
  ends.push(() => neighbours.close());
  const told: string[] = [];
  neighbours.onCome(() => told.push('came'));
  neighbours.onGo(() => told.push('went'));
  await expect.poll(() => told).toEqual(['came']);
  cut();
  await expect.poll(() => told, { timeout: 3_000 }).toEqual(['came', 'went']);
  heal();
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['came', 'went', 'came']);
  await expect(neighbours.get(FAR.processId)?.channel.request('closeRoom', {})).resolves.toBeUndefined();
});

test('a listener that hangs in the middle of the handshake costs the dialling side its bound and no more', async () => {
  const port = await freePort();
  const silent = createServer((socket) => socket.on('error', () => undefined).resume());
  await new Promise<void>((resolve) => silent.listen(port, '127.0.0.1', resolve));
  ends.push(() => silent.close());
  const near = await carrierOf(NEAR, { limits: { dialMs: 200 } });
  await expect(near.dial(`127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  expect(near.links()).toEqual([]);
});
