/** The generated code is checked in, so that nobody needs buf to run; this says when it is stale. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const here = join(import.meta.dirname, '..');

test('the generated code is that of the .proto', () => {
  const to = mkdtempSync(join(tmpdir(), 'veilcast-proto-'));
  try {
    generate(to);
    const made = readdirSync(to, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
    expect(made).not.toEqual([]);
    for (const path of made) expect(readFileSync(join(to, path), 'utf8')).toBe(readFileSync(join(here, path), 'utf8'));
  } finally {
    rmSync(to, { recursive: true });
  }
});

function generate(to: string): void {
  const buf = join(dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')), 'bin/buf');
  const bin = join(here, '../../node_modules/.bin');
  try {
    execFileSync(process.execPath, [buf, 'generate', '--output', to], {
      cwd: here,
      env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` },
      stdio: 'pipe',
    });
  } catch (cause) {
    throw new Error('buf could not generate: run `npm ci`, then `npm run generate` in packages/control', { cause });
  }
}
