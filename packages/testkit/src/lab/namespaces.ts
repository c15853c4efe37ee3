/**
 * Network namespaces of this process: named after it, taken down with it, and, where it died without a word, by the next
 * process that opens a lab.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Commands take some 5 ms; seconds under load. */
const COMMAND_MS = 30_000;
const PLACE = '/run/netns';
const OURS = /^veilcast-(\d+)-(\d+)-/;

/** Clock ticks since boot at which a process started; undefined when there is none. With its id it names it for good. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

const prefix = `veilcast-${process.pid}-${startOf(process.pid)}-`;
let counter = 0;
const made = new Set<string>();

process.on('exit', () => {
  for (const name of made) removeNow(name);
});

/** Runs a command; stdin is `text`. @throws Error with what it said */
export function run(command: string, args: readonly string[], text = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { timeout: COMMAND_MS }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || error.message}\n${text}`));
      else resolve(stdout);
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(text);
  });
}

/** Lines for `ip`, all or an error; in a namespace, or between some. */
export async function ip(lines: readonly string[], namespace?: string): Promise<void> {
  await run('ip', [...(namespace === undefined ? [] : ['-n', namespace]), '-batch', '-'], `${lines.join('\n')}\n`);
}

/** The words before a command that make it run in there, as the same process. */
export function inside(namespace: string, command: readonly string[]): [string, string[]] {
  return ['ip', ['netns', 'exec', namespace, ...command]];
}

/** A new namespace with loopback up. Its name begins with this process's own. */
export async function openNamespace(name: string, settings: Readonly<Record<string, string>> = {}): Promise<string> {
  counter += 1;
  const namespace = `${prefix}${counter}-${name}`;
  made.add(namespace);
  await ip([`netns add ${namespace}`]);
  const wanted = {
    // No waiting until nobody else on the link turns out to have our address.
    'net.ipv6.conf.default.accept_dad': '0',
    'net.ipv6.conf.all.accept_dad': '0',
    ...settings,
  };
  await setIn(namespace, wanted);
  await ip(['link set lo up'], namespace);
  return namespace;
}

export async function setIn(namespace: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const words = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  if (words.length > 0) await run(...inside(namespace, ['sysctl', '-qw', ...words]));
}

/** Ends what runs in them, and removes them. */
export function closeNamespaces(names: readonly string[]): void {
  for (const name of names) removeNow(name);
}

function removeNow(name: string): void {
  made.delete(name);
  for (const pid of quietly(['netns', 'pids', name]).split('\n')) {
    if (pid === '') continue;
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  quietly(['netns', 'del', name]);
}

function quietly(args: readonly string[]): string {
  try {
    return execFileSync('ip', [...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: COMMAND_MS,
    });
  } catch {
    return '';
  }
}

/** Takes down what processes left that are no more. */
export function sweepNamespaces(): void {
  for (const name of names()) {
    const [, pid, start] = OURS.exec(name) ?? [];
    if (pid !== undefined && startOf(Number(pid)) !== start) removeNow(name);
  }
}

function names(): string[] {
  try {
    return readdirSync(PLACE);
  } catch {
    return [];
  }
}
