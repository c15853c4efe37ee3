import { virtualClock } from '@veilcast/testkit';
import type { types } from 'mediasoup-client';
import { EventEmitter } from 'node:events';
import { afterEach, expect, it, vi } from 'vitest';
import { LinkWatch } from './link-watch.ts';
import type { PathKind } from './path.ts';

const browser = new EventTarget();
const connection = new EventTarget();

function open({ relayOnly = false, kind = 'udp' }: { relayOnly?: boolean; kind?: PathKind } = {}) {
  vi.stubGlobal('addEventListener', browser.addEventListener.bind(browser));
  vi.stubGlobal('removeEventListener', browser.removeEventListener.bind(browser));
  vi.stubGlobal('navigator', { connection });
  const clock = virtualClock();
  const figures = { sent: 0, received: 0, isAnswered: true, kind };
  const stats = () => {
    const local = figures.kind.startsWith('relay')
      ? { type: 'local-candidate', candidateType: 'relay', relayProtocol: figures.kind.slice('relay-'.length) }
      : { type: 'local-candidate', candidateType: 'host', protocol: figures.kind };
    return Promise.resolve(
      new Map<string, object>([
        ['T', { type: 'transport', selectedCandidatePairId: 'P' }],
        [
          'P',
          { type: 'candidate-pair', localCandidateId: 'L', bytesSent: figures.sent, bytesReceived: figures.received },
        ],
        ['L', local],
      ]),
    );
  };
  clock.every(20, () => {
    figures.sent += 100;
    if (figures.isAnswered) figures.received += 10;
  });
  const observer = new EventEmitter();
  let suspected = 0;
  const watch = new LinkWatch({
    transport: { observer, getStats: stats } as unknown as types.Transport,
    path: { suspect: () => void (suspected += 1) },
    clock,
    relayOnly,
  });
  const media = { closed: false, paused: false, getStats: stats };
  observer.emit('newproducer', media);
  return { clock, figures, media, watch, suspected: () => suspected };
}

afterEach(() => void vi.unstubAllGlobals());

it('a path that falls silent is suspected within a second, and not again until it spoke', async () => {
  const { clock, figures, suspected } = open();
  await clock.advance(5_000);
  expect(suspected()).toBe(0);
  figures.isAnswered = false;
  await clock.advance(1_000);
  expect(suspected()).toBe(1);
  await clock.advance(8_000);
  expect(suspected()).toBe(1);
});

it('what is paused or closed is not expected to be answered', async () => {
  const { clock, figures, media, suspected } = open();
  await clock.advance(5_000);
  figures.isAnswered = false;
  media.paused = true;
  await clock.advance(5_000);
  media.paused = false;
  media.closed = true;
  await clock.advance(4_000);
  expect(suspected()).toBe(0);
});

it('a path that rests is left alone, and watched again when it is needed', async () => {
  const { clock, figures, suspected, watch } = open({ kind: 'tcp' });
  await clock.advance(2_000);
  watch.rest(true);
  figures.isAnswered = false;
  await clock.advance(60_000);
  expect(suspected()).toBe(0);
  figures.isAnswered = true;
  watch.rest(false);
  await clock.advance(4_000);
  expect(suspected()).toBe(0);
  figures.isAnswered = false;
  await clock.advance(900);
  expect(suspected()).toBe(1);
});

it('a better path is not looked for for ever in one network, and anew in the next', async () => {
  const { clock, suspected } = open({ kind: 'tcp' });
  await clock.advance(3 * 3_600_000);
  const tries = suspected();
  expect(tries).toBe(10);
  connection.dispatchEvent(new Event('change'));
  await clock.advance(20_000);
  expect(suspected()).toBe(tries + 3);
});

it('a network that changes is told once, however often the browser says so', async () => {
  const { clock, suspected, watch } = open();
  for (const [target, event] of [
    [browser, 'online'],
    [connection, 'change'],
    [connection, 'change'],
  ] as const)
    target.dispatchEvent(new Event(event));
  await clock.advance(200);
  expect(suspected()).toBe(1);
  watch.close();
  browser.dispatchEvent(new Event('online'));
  await clock.advance(200);
  expect(suspected()).toBe(1);
});

it.each([
  ['udp', false, 0],
  ['tcp', false, 4],
  ['relay-tls', false, 4],
  ['relay-tls', true, 0],
] as const)(
  'by %s, relay forced %s, a better path is looked for %i times in a minute and a half',
  async (kind, relayOnly, times) => {
    const { clock, suspected } = open({ kind, relayOnly });
    await clock.advance(90_000);
    expect(suspected()).toBe(times);
  },
);
