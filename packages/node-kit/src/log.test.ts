import { ClusterError } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { createLogger } from './log.ts';

function capture() {
  const lines: string[] = [];
  const log = createLogger({ service: 'test', destination: { write: (line) => void lines.push(line) } });
  return { lines, log, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

const fields = ['token', 'joinToken', 'name', 'displayName', 'address', 'remoteAddresses', 'ip', 'credential'];
fields.push('leaf_key', 'keys', 'sdp', 'iceCandidates', 'ICE-candidate', 'password', 'authorization', 'hostname');

test.each(fields)('a field %s is never written, however deep and wherever bound', (field) => {
  const { lines, log } = capture();
  log.info({ [field]: 'hush-1' }, 'a');
  log.info({ deep: [{ er: { [field]: { inside: 'hush-2' } } }] }, 'b');
  log.child({ [field]: 'hush-3' }).info('c');
  expect(lines).toHaveLength(3);
  expect(lines.join('')).not.toContain('hush');
});

test('what looks like such a field and is none is written', () => {
  const { log, last } = capture();
  log.info({ ownership: 'yes', keyframes: 3, zip: 1, roomId: 'demo…', skip: true, tokens_per_s: 2 });
  expect(last()).toMatchObject({ ownership: 'yes', keyframes: 3, zip: 1, roomId: 'demo…', skip: true });
});

test('errors keep their type, code and cause and lose network addresses', () => {
  const { lines, log, last } = capture();
  const cause = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:7800'), {
    code: 'ECONNREFUSED',
    address: '10.1.2.3',
  });
  log.error({ err: new ClusterError('NODE_UNREACHABLE', 'no answer from fe80::1:2', { cause }) }, 'failed');
  log.error(new Error('lost ::1'));
  expect(last()).toMatchObject({ msg: 'lost [ip]' });
  const text = lines.join('');
  for (const secret of ['10.1.2.3', 'fe80', '::1']) expect(text).not.toContain(secret);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'error',
    service: 'test',
    err: { type: 'ClusterError', code: 'NODE_UNREACHABLE', cause: { code: 'ECONNREFUSED' } },
  });
});

test('anything can be logged: no value throws', () => {
  const { lines, log } = capture();
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withTypedArray: true })), (value) => {
      log.info(value);
    }),
  );
  const cycle: Record<string, unknown> = {};
  cycle['self'] = cycle;
  log.info(cycle, 'round');
  for (const line of lines) JSON.parse(line);
});

test('a process whose log nobody reads any more goes on, and ends when it wants to', async () => {
  const script = `
    import { createLogger } from ${JSON.stringify(import.meta.resolve('./log.ts'))};
    const log = createLogger({ service: 'test' });
    process.stdin.once('data', () => {
      for (let at = 0; at < 100; at += 1) log.fatal({ at }, 'a line');
      setTimeout(() => process.exit(7), 20);
    });
    log.info('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  child.stdout.destroy();
  child.stdin.write('go');
  const kill = setTimeout(() => child.kill('SIGKILL'), 15_000);
  expect(await once(child, 'exit')).toEqual([7, null]);
  clearTimeout(kill);
});
