/** The program beside this file that delays, loses and holds back packets, built once for a state of its source, and its words. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { inside, run } from './namespaces.ts';

const SOURCE = fileURLToPath(new URL('impairer.c', import.meta.url));
/** A queue that is longer than this is no home router's. */
const HOLD_MS = 300;

/** What happens to the packets of one direction of a path; nothing where nothing is said. */
export interface Impairment {
  /** Every packet is that much later. */
  readonly delayMs?: number;
  /** And up to so much more, each another time; none overtakes another. */
  readonly jitterMs?: number;
  /** Share of packets lost, one independent of the other, 0 to 1. */
  readonly loss?: number;
  /** What passes the bottleneck, with IP headers. */
  readonly bitsPerSecond?: number;
  /** How long a packet waits at the bottleneck at most, 300 ms if not given; one that would wait longer is lost. */
  readonly holdMs?: number;
  /** Nothing passes. */
  readonly cut?: boolean;
}

export interface Counted {
  readonly packets: number;
  readonly lost: number;
  readonly bytes: number;
}

/** Where the built program is. @throws Error with the compiler's words */
async function built(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(SOURCE));
  const cache = process.env.VEILCAST_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'veilcast');
  const folder = join(cache, 'lab', `${hash.digest('hex').slice(0, 16)}-${process.arch}`);
  const program = join(folder, 'impairer');
  const isThere = await access(program).then(
    () => true,
    () => false,
  );
  if (isThere) return program;
  await mkdir(folder, { recursive: true });
  // Beside its place first: an interrupted build must not pass for one.
  const part = `${program}.${process.pid}`;
  await run('gcc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', part, SOURCE, '-lnetfilter_queue']);
  await rename(part, program);
  return program;
}

export class Impairer {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** It answers line by line, in order. */
  readonly #waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  #words = '';

  private constructor(child: ChildProcessByStdio<Writable, Readable, Readable>) {
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#words += text));
    child.stdin.on('error', () => undefined);
    createInterface(child.stdout).on('line', (line) => this.#waiting.shift()?.resolve(line));
    child.once('exit', (code, signal) => {
      const error = new Error(`the impairer ended (${signal ?? code}): ${this.#words}`);
      for (const one of this.#waiting.splice(0)) one.reject(error);
    });
  }

  static async start(namespace: string): Promise<Impairer> {
    const [command, args] = inside(namespace, [await built()]);
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    await once(child, 'spawn');
    return new Impairer(child);
  }

  /** Takes the queue at the first time. From the answer on it holds. @throws Error when the kernel refuses */
  async set(queue: number, impairment: Impairment): Promise<void> {
    const { delayMs = 0, jitterMs = 0, loss = 0, bitsPerSecond = 0, holdMs = HOLD_MS, cut = false } = impairment;
    const millionth = cut ? 1_000_000 : loss * 1e6;
    const values = [delayMs * 1_000, jitterMs * 1_000, millionth, bitsPerSecond, holdMs * 1_000];
    const answer = await this.#ask(`set ${queue} ${values.map(Math.round).join(' ')}`);
    if (answer !== `ok ${queue}`) throw new Error(`the impairer said: ${answer} ${this.#words}`);
  }

  async count(queue: number): Promise<Counted> {
    const [, , packets = 0, lost = 0, bytes = 0] = (await this.#ask(`count ${queue}`)).split(' ').map(Number);
    return { packets, lost, bytes };
  }

  #ask(line: string): Promise<string> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      return Promise.reject(new Error(`the impairer has ended: ${this.#words}`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#child.stdin.write(`${line}\n`);
    });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.stdin.end();
    await gone;
  }
}
