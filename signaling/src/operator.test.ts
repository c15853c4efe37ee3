import { jsonOf, resultOf } from '@veilcast/control';
import { Picture, type CascadePicture } from '@veilcast/protocol';
import { afterEach, expect, test } from 'vitest';
import { io, Manager, type Socket } from 'socket.io-client';
import { Fixture, until, type FixtureOptions } from './testing/fixture.ts';

let fixture: Fixture;
const watchers: Socket[] = [];
afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.disconnect();
  await fixture.close();
});

async function open(options: FixtureOptions = {}): Promise<void> {
  fixture = await Fixture.open(options);
  const picture: CascadePicture = {
    nodes: [{ nodeId: 'node-eu', region: 'eu', state: 'healthy', incarnation: 'inc_1', upSince: 1, workers: [] }],
    pipes: [],
    rooms: [
      {
        roomId: 'demo',
        planTerm: 3,
        plan: [],
        regions: ['eu'],
        routers: [{ workerId: 'node-eu/0', nodeId: 'node-eu', role: 'origin' }],
      },
      { roomId: 'elsewhere', planTerm: 1, plan: [], regions: ['us'], routers: [] },
    ],
  };
  fixture.cascade.answers.getPicture = () => resultOf('gotPicture', { picture: jsonOf(picture) });
}

function watch(options: object = {}): {
  readonly socket: Socket;
  readonly pictures: Picture[];
  readonly refused: () => unknown;
} {
  const pictures: Picture[] = [];
  let refused: unknown;
  const socket = io(`${fixture.main.url}/operator`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    ...options,
  });
  socket.on('picture', (raw: unknown) => pictures.push(Picture.parse(raw)));
  socket.on('connect_error', (error: Error & { data?: unknown }) => (refused = error.data ?? error.message));
  watchers.push(socket);
  return { socket, pictures, refused: () => refused };
}

test('a connection that is a client’s already operates nothing, and harms nobody', async () => {
  await open();
  const manager = new Manager(fixture.main.url, {
    transports: ['websocket'],
    reconnection: false,
    autoConnect: false,
  });
  const [client, operator] = [manager.socket('/'), manager.socket('/operator')];
  watchers.push(client, operator);
  const refused = new Promise<unknown>((resolve) => operator.on('connect_error', ({ message }) => resolve(message)));
  client.connect();
  await until(() => client.connected);
  operator.connect();
  expect(await Promise.race([refused, new Promise((resolve) => operator.on('connect', () => resolve('in')))])).toBe(
    'UNAUTHORIZED',
  );
  await fixture.enter();
});

test('a watcher sees Nodes of the cascade and Rooms of ours in one Picture, and nobody watching costs nothing', async () => {
  await open();
  await fixture.enter();
  const { socket, pictures } = watch();
  await until(() => pictures.length >= 2);
  expect(pictures[0]).toMatchObject({
    cluster: 'veilcast',
    state: 'ready',
    nodes: [{ nodeId: 'node-eu' }],
    signaling: [{ processId: 'sig-1', sockets: 1, rooms: 1 }],
  });
  expect(pictures[0].rooms).toMatchObject([
    { roomId: 'demo', term: 1, planTerm: 3, peers: 1, waiting: 0, regions: ['eu'], locked: false },
    { roomId: 'elsewhere', planTerm: 1, peers: 0 },
  ]);
  socket.disconnect();
  await new Promise((resolve) => setTimeout(resolve, 600));
  const asked = fixture.cascade.calls('getPicture').length;
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  expect(fixture.cascade.calls('getPicture').length).toBe(asked);
});

test('without the development policy, or from another site, nobody watches', async () => {
  await open({ policy: { development: false } });
  const { refused } = watch();
  await until(() => refused() !== undefined);
  expect(refused()).toMatchObject({ code: 'UNAUTHORIZED' });
  await fixture.close();
  await open();
  const stranger = watch({ extraHeaders: { origin: 'https://evil.example' } });
  await until(() => stranger.refused() !== undefined);
  expect(await fixture.metric('veilcast_signaling_refusals_total{code="FORBIDDEN"}')).toBe(1);
});

test('when no cascade-router answers, the Picture says that it is not whole', async () => {
  await open();
  const { pictures } = watch();
  await until(() => pictures.length > 0);
  fixture.cascade.answers.getPicture = () => resultOf('gotPicture', { picture: jsonOf({ nodes: 'none' }) });
  await until(() => pictures.at(-1)?.state === 'degraded');
  await fixture.cascade.close();
  await until(() => pictures.at(-1)?.state === 'down');
});
