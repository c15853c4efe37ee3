import { virtualClock } from '@veilcast/testkit';
import type { IceServerList } from '@veilcast/protocol';
import { expect, it } from 'vitest';
import { IceServers } from './ice-servers.ts';

const list = (credential: string, ttlMs = 300_000): IceServerList => ({
  servers: [{ urls: ['turn:turn.example.org:3478?transport=udp'], username: '1:x', credential }],
  ttlMs,
});

function open(ask: () => Promise<IceServerList>, relayOnly = false) {
  const clock = virtualClock();
  const ice = new IceServers({ clock, relayOnly, ask });
  const credential = (): unknown => ice.configuration.iceServers[0]?.credential;
  return { clock, ice, credential };
}

it('asks for the next credential before the last one ends, for as long as it is open', async () => {
  let asked = 0;
  const { clock, ice, credential } = open(() => Promise.resolve(list(`c${(asked += 1)}`)));
  const heard: unknown[] = [];
  ice.onChange(({ iceServers }) => heard.push(iceServers[0]?.credential));
  ice.take(list('c0'));
  expect(credential()).toBe('c0');
  await clock.advance(299_000);
  expect(credential()).toBe('c1');
  await clock.advance(600_000);
  expect(asked).toBe(4);
  expect(heard).toEqual(['c0', 'c1', 'c2', 'c3', 'c4']);
  ice.close();
  await clock.advance(600_000);
  expect([asked, clock.pending()]).toEqual([4, 0]);
});

it('goes on asking after a refusal, and keeps what it has', async () => {
  let fails = true;
  const { clock, ice, credential } = open(() =>
    fails ? Promise.reject(new Error('away')) : Promise.resolve(list('new')),
  );
  ice.take(list('old'));
  await clock.advance(200_000);
  expect(credential()).toBe('old');
  fails = false;
  await clock.advance(10_000);
  expect(credential()).toBe('new');
});

it('never asks where there is no TURN server, nor again and again for one that ends at once', async () => {
  let asked = 0;
  const { clock, ice } = open(() => Promise.resolve(list(`${(asked += 1)}`, 1)));
  ice.take(undefined);
  await clock.advance(600_000);
  expect(asked).toBe(0);
  expect(ice.configuration).toEqual({ iceServers: [], iceTransportPolicy: 'all' });
  ice.take(list('short', 1));
  await clock.advance(60_000);
  expect(asked).toBeLessThanOrEqual(6);
});

it('forces the relay where it is told to, and gives nobody its own list', () => {
  const { ice, credential } = open(() => Promise.reject(new Error()), true);
  ice.take(list('a'));
  const { iceServers, iceTransportPolicy } = ice.configuration;
  expect(iceTransportPolicy).toBe('relay');
  iceServers.pop();
  expect(credential()).toBe('a');
});
