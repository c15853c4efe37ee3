import { afterEach, expect, test, vi } from 'vitest';
import { openTokens } from './token.ts';

afterEach(() => vi.unstubAllGlobals());

/** Signaling's endpoint, which answers for as long as its process lives. */
function endpoint(livesMs: number) {
  const process = { isThere: true, asked: 0 };
  vi.stubGlobal('fetch', async () => {
    if (!process.isThere) throw new TypeError('Failed to fetch');
    process.asked += 1;
    const claims = { sub: 'part_1', exp: (Date.now() + livesMs) / 1_000, jti: `${process.asked}` };
    return Response.json({ token: `x.${btoa(JSON.stringify(claims))}.x` });
  });
  return process;
}

test('a call comes back by its last token while the process that gives them is gone', async () => {
  const process = endpoint(900_000);
  const token = openTokens('demo', 'speaker', () => undefined);
  const first = await token();
  expect(await token()).not.toBe(first);
  process.isThere = false;
  const last = await token();
  expect(await token()).toBe(last);
  expect(process.asked).toBe(2);
});

test('a token that ends is not used again', async () => {
  const process = endpoint(10_000);
  const token = openTokens('demo', 'speaker', () => undefined);
  await token();
  process.isThere = false;
  await expect(token()).rejects.toMatchObject({ code: 'DISCONNECTED' });
});
