import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('a node alone refuses to start, and says what is missing and what to do', () => {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const { status, stderr, stdout } = spawnSync(process.execPath, [main], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/network Carrier[\s\S]*shared Directory[\s\S]*veilcast up/);
});
