/**
 * The whole test run: each check counts as one test, then vitest. Everything is run whatever failed before it; the last line
 * is `N passed, N failed, N skipped` over all of it. Arguments go to vitest: `./veilcast test --project unit`.
 */
import { spawn } from 'node:child_process';
import { glob } from 'node:fs/promises';

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const summary = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m;

/** A check that cannot be made on this machine, and has said why, ends with this (as in automake). */
const NOT_RUN = 77;

/** Runs a command with its output shown; resolves with what it printed on stdout and how it ended. */
function run(command: string, args: readonly string[]): Promise<{ code: number | null; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      process.stdout.write(chunk.replace(summary, ''));
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout }));
  });
}

async function shellFiles(): Promise<string[]> {
  const files = ['veilcast', '.ci/run'];
  for await (const file of glob(['tools/setup/*.sh', 'sfu-node/worker/*.sh', 'load-tests/k6/*.sh'])) files.push(file);
  return files;
}

const checks: readonly (readonly [title: string, command: string, args: readonly string[]])[] = [
  ['types', 'tsc', ['-b']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
  ['unused code', 'knip', ['--no-config-hints']],
  ['generated documents', 'node', ['tools/generate-docs.ts', '--check']],
  ['shell scripts', 'shellcheck', ['-x', ...(await shellFiles())]],
  ['Go client', 'load-tests/k6/check.sh', []],
];

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const [title, command, args] of checks) {
  const began = Date.now();
  const { code } = await run(command, args);
  const outcome = code === 0 ? 'passed' : code === NOT_RUN ? 'skipped' : 'failed';
  total[outcome]++;
  process.stdout.write(
    `${{ passed: '✓', skipped: '○', failed: '✗' }[outcome]} ${title}  ${((Date.now() - began) / 1000).toFixed(1)} s\n`,
  );
}
const { code, stdout } = await run('vitest', ['run', ...process.argv.slice(2)]);
const counts = summary.exec(stdout);
if (counts) {
  total.passed += Number(counts[1]);
  total.failed += Number(counts[2]);
  total.skipped += Number(counts[3]);
}
// A runner that died before it could count is a failure, not an empty success.
if (!counts || (code !== 0 && Number(counts[2]) === 0)) total.failed++;
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
