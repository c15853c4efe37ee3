/** What a killed cluster left goes with the next start, and nothing else does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownFolder } from './folder.ts';

let parent: string;
beforeEach(async () => (parent = await mkdtemp(join(tmpdir(), 'veilcast-folders-'))));
afterEach(() => rm(parent, { recursive: true, force: true }));

/** A process that has been killed. */
async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  return child.pid!;
}

async function filled(name: string): Promise<void> {
  await mkdir(join(parent, name, 'ca'), { recursive: true });
  await writeFile(join(parent, name, 'ca', 'key'), 'secret', { mode: 0o600 });
}

test('folders of dead processes are removed, with all that is in them', async () => {
  const pid = await deadPid();
  await filled(`veilcast-cluster-${pid}-aB3xYz`);
  const folder = await ownFolder(parent);
  expect((await readdir(parent)).map((name) => join(parent, name))).toEqual([folder]);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test('what a living process has, what has another name and what is no folder stay', async () => {
  const pid = await deadPid();
  const kept = [
    `veilcast-cluster-${process.pid}-aB3xYz`,
    `veilcast-cluster-${pid}-too-long`,
    `other-${pid}-aB3xYz`,
    'veilcast-cluster-aB3xYz',
  ];
  for (const name of kept) await filled(name);
  const link = `veilcast-cluster-${pid}-abcdef`;
  await filled('elsewhere');
  await symlink(join(parent, 'elsewhere'), join(parent, link));
  await ownFolder(parent);
  expect(await readdir(parent)).toEqual(expect.arrayContaining([...kept, link, 'elsewhere']));
  expect(await readdir(join(parent, 'elsewhere', 'ca'))).toEqual(['key']);
});

test('two starts have a folder each', async () => {
  const first = await ownFolder(parent);
  expect(await ownFolder(parent)).not.toBe(first);
  expect(await readdir(parent)).toHaveLength(2);
});
