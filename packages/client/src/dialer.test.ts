import { newDevice } from '@veilcast/e2ee/identity';
import { ClusterError } from '@veilcast/protocol';
import { expect, it } from 'vitest';
import { browserClock } from './clock.ts';
import { Dialer } from './dialer.ts';
import type { openWire } from './open-wire.ts';
import type { ChannelMemory, Wire } from './wire.ts';

/** Every wire that was opened: by which key, and with which memory of the channel before. */
function line() {
  const opened: { key: Uint8Array; memory: ChannelMemory | undefined; wire: Wire & { open: boolean } }[] = [];
  const open = (async ({ device, memory }) => {
    const wire = { open: true, close: () => (wire.open = false) } as unknown as Wire & { open: boolean };
    opened.push({ key: device.publicKey, memory, wire });
    return wire;
  }) satisfies typeof openWire;
  return { opened, dialer: new Dialer({ url: 'http://127.0.0.1:9', pin: undefined, clock: browserClock, open }) };
}

it('gives out the wire that was opened ahead, once', async () => {
  const { opened, dialer } = line();
  const device = newDevice();
  dialer.dialAhead(device);
  expect(await dialer.dial(device)).toBe(opened[0]?.wire);
  expect(await dialer.dial(device)).toBe(opened[1]?.wire);
  expect(opened[1]?.memory).toBe(opened[0]?.memory);
});

it('dials again as the key that joins, where the identity was rotated in between', async () => {
  const { opened, dialer } = line();
  const [before, after] = [newDevice(), newDevice()];
  dialer.dialAhead(before);
  expect(await dialer.dial(after)).toBe(opened[1]?.wire);
  expect(opened[1]?.key).toBe((await after).publicKey);
  // It would be presented as the device that it resumes.
  expect(opened[1]?.memory).not.toBe(opened[0]?.memory);
  expect(opened[0]?.wire.open).toBe(false);
});

it('closes what nobody came for, and opens another for what was lost meanwhile', async () => {
  const { opened, dialer } = line();
  const device = newDevice();
  dialer.dialAhead(device);
  await device;
  dialer.close();
  await expect.poll(() => opened[0]?.wire.open).toBe(false);
  dialer.dialAhead(device);
  await expect.poll(() => opened.length).toBe(2);
  opened[1]?.wire.close();
  expect(await dialer.dial(device)).toBe(opened[2]?.wire);
});

it('remembers where the others were, also those that the last one did not see', async () => {
  const urls: string[] = [];
  const told: Record<string, string[]> = { 'http://a': ['http://b'], 'http://b': [] };
  let alive = 'http://a';
  const open = (async ({ url, others }) => {
    urls.push(url);
    if (url !== alive) throw new ClusterError('DISCONNECTED');
    others?.(told[url] ?? []);
    return { open: true, close: () => undefined } as unknown as Wire;
  }) satisfies typeof openWire;
  const dialer = new Dialer({ url: 'http://b', pin: undefined, clock: browserClock, open, answers: async () => false });
  const device = newDevice();
  alive = 'http://b';
  told['http://b'] = ['http://a'];
  await dialer.dial(device);
  // Now it sees nobody.
  told['http://b'] = [];
  await dialer.dial(device);
  alive = 'http://a';
  await dialer.dial(device);
  expect(urls).toEqual(['http://b', 'http://b', 'http://b', 'http://a']);
});
