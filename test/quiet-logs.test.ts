/**
 * What the services write and answer names nobody: through a whole call, with everything that can go wrong in one, no log
 * line at the finest level, no metric, no error, no answer over HTTP, nothing that a process or a page prints, and no operator's picture
 * holds a name, a word, a token, a key, an identity, an address, a client's port or the Room. Operators see Rooms by their ids, and nothing else of these.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { observer, type types } from 'mediasoup';
import type { Browser, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { createLogger } from '@veilcast/node-kit';
import { OPERATOR_NAMESPACE, PROTOCOL_VERSION, RegionId, type Answer } from '@veilcast/protocol';
import { io } from 'socket.io-client';
import { eventually, joinCall, openBrowser, reportOf } from './support/browser.ts';
import { makeFilm } from './support/film.ts';
import { metricsOf } from './support/level.ts';
import { Line, Member, tokenFor } from './support/member.ts';
import { foundIn, memberSecrets, tokenSecrets, type Secrets } from './support/secrets.ts';

const ROOM = 'marmalade-sky-9';
const NAMES = { ada: 'Zebedee Quill', bob: 'Wilhelmina Ostrander', cleo: 'Peregrine Vanterpool' };
const WORDS = 'the heron flies at noon';

let cluster: Cluster;
let browser: Browser;
let ada: Page;
let host: Member;
const workers: number[] = [];
/** What must not be found, by what it is. */
const secrets: Secrets = new Map();
/** That clients come from, of their sockets and of their media. */
const ports = new Set<number>();
const lines: string[] = [];
const answers: Answer[] = [];
const refusals: string[] = [];
let metrics = '';
/** What operators were shown, as JSON. */
const pictures: string[] = [];
/** Status, headers and body of what anybody may ask for over HTTP. */
const served: string[] = [];
/** What this process and the pages print. */
const printed: string[] = [];
const restore: (() => void)[] = [];

beforeAll(async () => {
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream);
    stream.write = (chunk: string | Uint8Array, ...rest: never[]) => {
      printed.push(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString());
      return write(chunk, ...rest);
    };
    restore.push(() => (stream.write = write));
  }
  subscribe('net.server.socket', (message) => {
    const { remotePort } = (message as { socket: Socket }).socket;
    if (remotePort !== undefined) ports.add(remotePort);
  });
  observer.on('newworker', (worker) => {
    workers.push(worker.pid);
    worker.observer.on('newrouter', (router) => router.observer.on('newtransport', keepPorts));
  });
  const destination = { write: (line: string) => void lines.push(line) };
  const log = createLogger({ service: 'veilcast', level: 'trace', destination });
  const regions = [RegionId.parse('eu'), RegionId.parse('us')];
  cluster = await startCluster({ port: 0, regions, lan: false }, log);
  browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), 8));
  for (const [who, name] of Object.entries(NAMES)) {
    for (const part of name.split(' ')) secrets.set(`the name of ${who}: ${part}`, part);
  }
  secrets.set('a line of chat', WORDS);
  secrets.set('the Room', ROOM);

  host = await Member.enter(cluster.origin, ROOM, 'host');
  await call();
  await abuse();
  await loseWorkers();
  await look();
  metrics = await metricsOf(cluster.origin);
  for (const [what, secret] of memberSecrets(host)) secrets.set(what, secret);
});

afterAll(async () => {
  for (const undo of restore) undo();
  host?.line.close();
  await browser?.close();
  await cluster?.close();
});

function keepToken(what: string, token: string): void {
  for (const [part, secret] of tokenSecrets(what, token)) secrets.set(part, secret);
}

function keepPorts({ observer: of }: types.Transport): void {
  (of as types.WebRtcTransportObserver).on('iceselectedtuplechange', ({ remotePort }) => {
    if (remotePort !== undefined) ports.add(remotePort);
  });
}

function listen(page: Page): void {
  page.on('console', (message) => void printed.push(message.text()));
  page.on('pageerror', (error) => void printed.push(`${error.message} ${error.stack ?? ''}`));
}

/** Names, pictures between two regions, chat, a lock, a knock, an admission and a kick. */
async function call(): Promise<void> {
  const { origin } = cluster;
  const token = await tokenFor(origin, ROOM);
  keepToken("Ada's token", token);
  ada = await joinCall(browser, origin, { room: ROOM, name: NAMES.ada, region: 'eu', token });
  listen(ada);
  const bob = await joinCall(browser, origin, { room: ROOM, name: NAMES.bob, region: 'us' });
  listen(bob);
  await eventually(
    'the call',
    () => reportOf(bob),
    ({ peers }) => peers.some(({ name, video }) => name === NAMES.ada && video.framesDecoded > 10),
    60_000,
  );
  await ada.getByTestId('chat').click();
  await ada.getByTestId('chat-input').fill(WORDS);
  await ada.getByTestId('chat-input').press('Enter');
  await bob.getByTestId('chat').click();
  await bob.getByTestId('chat-line').filter({ hasText: WORDS }).waitFor({ timeout: 30_000 });

  await host.line.request('setLocked', { locked: true });
  const cleo = await joinCall(browser, origin, { room: ROOM, name: NAMES.cleo, region: 'us' });
  const [knocking] = await eventually(
    'a knock',
    async () => host.waiting,
    (waiting) => waiting.length === 1,
  );
  if (!knocking) throw new Error('nobody knocks');
  await host.line.request('admit', { peerId: knocking });
  await eventually(
    'her place',
    () => reportOf(cleo),
    ({ e2ee }) => e2ee.state === 'encrypted' && e2ee.members === 4,
    60_000,
  );
  await host.line.request('kick', { peerId: knocking });
  await cleo.locator('[data-testid="error"][data-code="REMOVED"]').waitFor({ timeout: 30_000 });
}

/** What strangers and broken clients send, always with something in it that they should not read again. */
async function abuse(): Promise<void> {
  const { origin } = cluster;
  const good = await tokenFor(origin, ROOM);
  keepToken("a stranger's token", good);
  const forged = `${good.split('.').slice(0, 2).join('.')}.${'Q'.repeat(86)}`;
  const join = { version: PROTOCOL_VERSION, leafKey: 'B'.repeat(43), device: Uint8Array.of(1), probes: [] };
  const line = await Line.open(origin);
  let id = 0;
  const send = async (name: string, body: unknown): Promise<void> => {
    id += 1;
    answers.push(await line.raw({ id, name, body }));
  };
  await send('join', { ...join, token: forged });
  await send('join', { ...join, token: good, leafKey: WORDS });
  await send('join', { ...join, token: good, [NAMES.ada]: WORDS });
  await send(NAMES.bob, { token: good });
  await send('knock', { name: NAMES.cleo.repeat(10) });
  await send('kick', { peerId: NAMES.cleo });
  answers.push(await line.raw({ id: 1, name: 'leave', body: { token: good } }), await line.raw(WORDS));
  line.close();
  for (const body of [{ room: `${ROOM} ${NAMES.ada}` }, { room: ROOM, role: NAMES.bob }, { room: ROOM, token: good }]) {
    const headers = { 'content-type': 'application/json' };
    const refused = await fetch(`${origin}/api/token`, { method: 'POST', headers, body: JSON.stringify(body) });
    expect(refused.ok).toBe(false);
    refusals.push(await refused.text());
  }
}

/** What operators, and people without anything, get to see. */
async function look(): Promise<void> {
  const { origin } = cluster;
  const watching = io(`${origin}${OPERATOR_NAMESPACE}`, { transports: ['websocket'], forceNew: true });
  watching.on('picture', (picture: unknown) => void pictures.push(JSON.stringify(picture)));
  await eventually(
    'two pictures',
    async () => pictures.length,
    (count) => count >= 2,
  );
  watching.close();
  const stolen = await tokenFor(origin, ROOM);
  keepToken('a token in a path', stolen);
  const paths = [
    'healthz',
    'readyz',
    'metrics',
    'api/authority',
    'api/regions',
    `api/${stolen}`,
    `r/x?token=${stolen}`,
    `nowhere/${stolen}`,
  ];
  for (const path of paths) {
    const answer = await fetch(`${origin}/${path}`);
    served.push(`${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`);
  }
}

/** Dead Workers are what the services say most about. A Peer keeps its id where it is moved, and gets another where it must join again. */
async function loseWorkers(): Promise<void> {
  await host.line.request('setLocked', { locked: false });
  for (const pid of workers.slice()) process.kill(pid, 'SIGKILL');
  await eventually(
    'the death in the log',
    async () => lines.join(''),
    (text) => text.includes('worker died'),
  );
  const before = (await reportOf(ada)).e2ee.framesSealed;
  await eventually(
    'a call again',
    () => reportOf(ada),
    ({ self, e2ee }) => self.peerId !== '' && e2ee.state === 'encrypted' && e2ee.framesSealed !== before,
    60_000,
  );
}

const found = (text: string): string[] => foundIn(text, secrets, ports);

it('would find each of them', () => {
  expect(secrets.size).toBeGreaterThan(20);
  for (const [what, secret] of secrets) {
    expect(secret.length, what).toBeGreaterThan(3);
    expect(found(`{"msg":"${secret}"}`)).toContain(what);
  }
  expect(found('from 10.1.2.3')).toEqual(['an address']);
  expect(ports.size).toBeGreaterThan(8);
  for (const port of ports) {
    for (const text of [`{"remotePort":${port}}`, `port ${port}`, `localhost:${port} went`])
      expect(found(text)).toEqual(['a port']);
    expect(found(`{"bytes":${port}}`)).toEqual([]);
  }
});

it('no log line holds one', () => {
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.join('')).toContain('worker died');
  for (const line of lines) expect(found(line), line).toEqual([]);
});

it('no metric holds one', () => {
  expect(metrics).toMatch(/^veilcast_signaling_\w+\{[^}]*"UNAUTHORIZED"[^}]*\} [1-9]/m);
  for (const line of metrics.split('\n')) expect(found(line), line).toEqual([]);
});

it('no error answer holds one', () => {
  expect(answers.map((answer) => answer.ok)).toEqual(answers.map(() => false));
  for (const answer of answers) expect(found(JSON.stringify(answer)), JSON.stringify(answer)).toEqual([]);
  for (const text of refusals) expect(found(text), text).toEqual([]);
});

it('no picture of an operator holds one but the Room', () => {
  expect(pictures.at(-1)).toContain(ROOM);
  for (const picture of pictures) expect(found(picture).filter((what) => what !== 'the Room')).toEqual([]);
});

it('no answer over HTTP holds one', () => {
  expect(served.length).toBe(8);
  for (const answer of served) expect(found(answer), answer.slice(0, 300)).toEqual([]);
});

it('nothing that was printed holds one', () => {
  for (const text of printed) expect(found(text), text).toEqual([]);
});

it('one that is planted is found, wherever it stands', () => {
  const token = [...secrets].find(([what]) => what === "Ada's token, part 1");
  if (token === undefined) throw new Error('no token');
  const planted: string[] = [];
  const log = createLogger({
    service: 'veilcast',
    level: 'trace',
    destination: { write: (line) => void planted.push(line) },
  });
  log.info({ why: { said: `not ${token[1]}` } }, 'planted');
  log.debug({ err: new Error(`refused ${token[1]}`) }, 'planted');
  expect(planted.map((line) => found(line))).toEqual([[token[0]], [token[0]]]);
  for (const place of [metrics, pictures.at(-1) ?? '', served.join('\n'), printed.join('')]) {
    expect(found(`${place} ${NAMES.bob}`)).toContain('the name of bob: Wilhelmina');
  }
});
