/** A host of a lab: a network namespace in which programs, browsers and requests run. */
import { fork, spawn, type ChildProcess, type ChildProcessByStdio, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { chromiumPath, launchBrowser } from '../browser.ts';
import type { Prefix } from './addresses.ts';
import type { Answer, Question } from './fetch.worker.ts';
import { inside } from './namespaces.ts';

const FETCHER = fileURLToPath(new URL('fetch.worker.ts', import.meta.url));
const FETCH_MS = 10_000;
const END_MS = 5_000;

export interface FetchOptions {
  readonly method?: string;
  /** JSON. */
  readonly body?: string;
  /** 10 s if not given. */
  readonly withinMs?: number;
}

export interface Host {
  readonly name: string;
  readonly namespace: string;
  /** Its public ones, or those of the gateway that it is behind; without a length. */
  readonly address: Prefix;
  /** Starts a program there, with its output in pipes; it is killed with the lab. */
  spawn(
    command: string,
    args: readonly string[],
    options?: SpawnOptions,
  ): ChildProcessByStdio<null, Readable, Readable>;
  /** A Chromium there, driven over pipes: driver and browser need no network between them. */
  browser(flags?: readonly string[]): Promise<Browser>;
  /** Asks from there; certificates are not looked at. @throws Error when nobody answers */
  fetch(url: string, init?: FetchOptions): Promise<{ readonly status: number; readonly text: string }>;
}

export class NamespaceHost implements Host {
  readonly name: string;
  readonly namespace: string;
  readonly address: Prefix;
  readonly #children = new Set<ChildProcess>();
  readonly #browsers = new Set<Browser>();
  #folder: string | undefined;
  #fetcher: ChildProcess | undefined;
  readonly #asked = new Map<number, (answer: Answer) => void>();
  #questions = 0;

  constructor(name: string, namespace: string, address: Prefix) {
    this.name = name;
    this.namespace = namespace;
    this.address = address;
  }

  spawn(
    command: string,
    args: readonly string[],
    options: SpawnOptions = {},
  ): ChildProcessByStdio<null, Readable, Readable> {
    const [program, words] = inside(this.namespace, [command, ...args]);
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.#keep(child);
    return child as ChildProcessByStdio<null, Readable, Readable>;
  }

  async browser(flags: readonly string[] = []): Promise<Browser> {
    this.#folder ??= await mkdtemp(join(tmpdir(), 'veilcast-lab-'));
    const script = join(this.#folder, 'chromium');
    const [command, words] = inside(this.namespace, [await chromiumPath()]);
    await writeFile(script, `#!/bin/sh\nexec ${command} ${words.join(' ')} "$@"\n`, { mode: 0o700 });
    const browser = await launchBrowser(flags, script);
    this.#browsers.add(browser);
    browser.once('disconnected', () => this.#browsers.delete(browser));
    return browser;
  }

  async fetch(url: string, init: FetchOptions = {}): Promise<{ readonly status: number; readonly text: string }> {
    const fetcher = (this.#fetcher ??= this.#startFetcher());
    this.#questions += 1;
    const question: Question = { id: this.#questions, url, withinMs: FETCH_MS, ...init };
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#asked.set(question.id, resolve);
      fetcher.send(question, (error) => error && reject(error));
    });
    if ('failed' in answer) throw new Error(`${this.name} asked ${url}: ${answer.failed}`);
    return { status: answer.status, text: answer.text };
  }

  #startFetcher(): ChildProcess {
    const [command, words] = inside(this.namespace, [process.execPath]);
    const child = fork(FETCHER, [], {
      execPath: command,
      execArgv: words,
      env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' },
    });
    child.on('message', (message) => {
      const answer = message as Answer;
      this.#asked.get(answer.id)?.(answer);
      this.#asked.delete(answer.id);
    });
    child.once('exit', () => {
      this.#fetcher = undefined;
      for (const [id, tell] of this.#asked) tell({ id, failed: 'who asked for us ended' });
      this.#asked.clear();
    });
    this.#keep(child);
    return child;
  }

  #keep(child: ChildProcess): void {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.once('error', () => this.#children.delete(child));
  }

  /** Ends what it started: browsers well, the rest by SIGTERM and then at once. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#browsers, (browser) => browser.close().catch(() => undefined)));
    await Promise.all(Array.from(this.#children, end));
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }
}

async function end(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const kill = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await gone;
  clearTimeout(kill);
}
