import { expect, test } from 'vitest';
import { addressOf, isLoopback, originAllowed } from './origin.ts';

const strict = { development: false, origins: ['https://call.example.org'] };
const development = { development: true, origins: [] };
const from = (origin?: string) => ({ headers: { host: 'sfu.example.org', ...(origin ? { origin } : {}) } });

test.each([
  [undefined, true],
  ['https://sfu.example.org', true],
  ['https://call.example.org', true],
  ['https://call.example.org.evil.example', false],
  ['https://evil.example', false],
  ['http://localhost:5173', false],
  ['null', false],
])('%s may connect: %s', (origin, allowed) => {
  expect(originAllowed(from(origin), strict)).toBe(allowed);
});

test.each(['http://localhost:5173', 'http://127.0.0.1:7800', 'http://[::1]:7800', 'http://eu.localhost'])(
  'in development %s may too',
  (origin) => {
    expect(originAllowed(from(origin), development)).toBe(true);
  },
);

test('in development another site may still not', () => {
  expect(originAllowed(from('https://localhost.evil.example'), development)).toBe(false);
});

test('a forwarded address counts only as far as proxies are trusted', () => {
  const request = {
    socket: { remoteAddress: '10.0.0.1' },
    headers: { 'x-forwarded-for': '6.6.6.6, 1.2.3.4, 10.0.0.9' },
  } as never;
  expect(addressOf(request, 0)).toBe('10.0.0.1');
  expect(addressOf(request, 1)).toBe('10.0.0.9');
  expect(addressOf(request, 2)).toBe('1.2.3.4');
});

test.each([
  ['127.3.2.1', true],
  ['::ffff:127.0.0.1', true],
  ['::1', true],
  ['128.0.0.1', false],
  ['127.evil', false],
])('%s is loopback: %s', (address, is) => {
  expect(isLoopback(address)).toBe(is);
});
