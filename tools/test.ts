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

/** Runs a command and hands out its output as it comes; resolves with what it printed and how it ended. */
function run(
  command: string,
  args: readonly string[],
  show: (chunk: string) => void = () => {},
): Promise<{ code: number | null; printed: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        printed += chunk;
        show(chunk);
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, printed }));
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

/** One check after the other off the common list; what it printed is shown when it ended, so that two do not mix. */
async function checkOff(list: Iterator<(typeof checks)[number]>): Promise<void> {
  for (let next = list.next(); !next.done; next = list.next()) {
    const [title, command, args] = next.value;
    const began = Date.now();
    const { code, printed } = await run(command, args);
    const outcome = code === 0 ? 'passed' : code === NOT_RUN ? 'skipped' : 'failed';
    total[outcome]++;
    const mark = { passed: '✓', skipped: '○', failed: '✗' }[outcome];
    process.stdout.write(`${printed}${mark} ${title}  ${((Date.now() - began) / 1000).toFixed(1)} s\n`);
  }
}

process.stdout.write(`${checks.length} checks: ${checks.map(([title]) => title).join(', ')}\n`);
const list = checks.values();
await Promise.all([checkOff(list), checkOff(list)]);

const { code, printed } = await run('vitest', ['run', ...process.argv.slice(2)], (chunk) =>
  process.stdout.write(chunk.replace(summary, '')),
);
const counts = summary.exec(printed);
if (counts) {
  total.passed += Number(counts[1]);
  total.failed += Number(counts[2]);
  total.skipped += Number(counts[3]);
}
// A runner that died before it could count is a failure, not an empty success.
if (!counts || (code !== 0 && Number(counts[2]) === 0)) total.failed++;
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
