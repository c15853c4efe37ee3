/**
 * The temporary folder of a cluster on this machine: certificates, secrets, configuration. It is named after the process that owns it,
 * so that the next start can take away what a killed one left.
 */
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAME = /^veilcast-cluster-(\d{1,10})-\w{6}$/;

/** Makes this process's own, for this user alone, and removes those of processes that are dead. */
export async function ownFolder(parent = tmpdir()): Promise<string> {
  await removeOrphans(parent);
  return mkdtemp(join(parent, `veilcast-cluster-${process.pid}-`));
}

async function removeOrphans(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = Number(NAME.exec(name)?.[1]);
    if (Number.isNaN(pid) || isRunning(pid)) continue;
    const folder = join(parent, name);
    // Everybody writes there: another user's, and what only looks like one of ours, is left alone.
    const found = await lstat(folder).catch(() => undefined);
    if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) continue;
    // Its processes may still be ending and writing: the next start finds what is left.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Whether a process of that number lives, whoever's it is. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
