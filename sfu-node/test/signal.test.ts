import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { until } from './cluster.ts';

const SCRIPT = `
  import { createMediasoupWorker } from './sfu-node/src/media/mediasoup.ts';
  const [worker] = await Promise.all([createMediasoupWorker(), createMediasoupWorker()]);
  process.once('SIGTERM', () => setTimeout(async () => {
    console.log('still answers', (await worker.dump()).pid === worker.pid);
    process.exit(0);
  }, 200));
  console.log('ready');
  setInterval(() => {}, 1000);`;

test('a signal to end reaches the service, which ends its workers in its own time', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  const ended = new Promise((resolve) => child.on('exit', resolve));
  await until(() => said.includes('ready'), 'the workers', 30_000);
  child.kill('SIGTERM');
  await ended;
  expect(said).toContain('still answers true');
});
