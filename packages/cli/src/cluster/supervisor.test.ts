/** Real processes: what is started ends with who started it, also where that one could not say a word. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';

const SUPERVISOR = new URL('./supervisor.ts', import.meta.url).href;
const KIT = import.meta.resolve('@veilcast/node-kit');

/** Starts one that notices by its channel, as services do, and one that cannot notice anything, as Redis. */
const SCRIPT = `
const { Supervisor } = await import('${SUPERVISOR}');
const { WITH_ITS_PARENT } = await import('${KIT}');
const supervisor = new Supervisor({ warn: () => undefined });
const order = { env: process.env, cwd: process.cwd() };
const service = "process.on('disconnect', () => process.exit()); setInterval(() => console.log(process.pid), 50)";
supervisor.start({ ...order, name: 'service', command: process.execPath, args: ['-e', service] });
const other = "setInterval(() => console.log(process.pid), 50)";
supervisor.start({ ...order, name: 'other', command: 'sh', args: ['-c', WITH_ITS_PARENT, process.execPath, '-e', other] });
`;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('kill -9 of the one that started them leaves nobody behind', async () => {
  const supervisor = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pids = new Set<number>();
  supervisor.stdout.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) if (line !== '') pids.add(Number(line));
  });
  try {
    await expect.poll(() => pids.size, { timeout: 30_000 }).toBe(2);
    expect([...pids].every(isRunning)).toBe(true);
    supervisor.kill('SIGKILL');
    await expect.poll(() => [...pids].filter(isRunning), { timeout: 20_000 }).toEqual([]);
  } finally {
    supervisor.kill('SIGKILL');
    for (const pid of pids) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  }
});
