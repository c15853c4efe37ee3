/** A process of a cluster on a host of a lab, which can be killed, frozen and started again. */
import { once } from 'node:events';
import type { ChildProcess } from 'node:child_process';
import type { Host } from '@veilcast/testkit/lab';

/** What is kept of its words, for who wants to know why it ended. */
const WORDS_MAX = 20_000;
const PROBE_MS = 2_000;

export interface ProgramOrder {
  readonly name: string;
  readonly host: Host;
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Besides those of this process that are not Veilcast's. */
  readonly env: Readonly<Record<string, string>>;
  /** Port of its /readyz on loopback; undefined: none, and it is taken for ready. */
  readonly probes: number | undefined;
}

export class Program {
  readonly #order: ProgramOrder;
  #child: ChildProcess | undefined;
  #words = '';

  constructor(order: ProgramOrder) {
    this.#order = order;
  }

  /** 0 when it does not run. */
  get pid(): number {
    return this.#isRunning ? (this.#child?.pid ?? 0) : 0;
  }

  /** The last that it said, and those before it under this name. */
  get words(): string {
    return this.#words;
  }

  get #isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  start(): void {
    const { host, command, args, cwd, env } = this.#order;
    const machine = Object.entries(process.env).filter(([name]) => !name.startsWith('VEILCAST_'));
    const child = host.spawn(command, args, { cwd, env: { ...Object.fromEntries(machine), ...env } });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#words = (this.#words + text).slice(-WORDS_MAX);
      });
    this.#child = child;
  }

  /** @throws Error when it ended, or is not ready by then, with its words */
  async untilReady(withinMs: number, everyMs: number): Promise<void> {
    const { name, probes } = this.#order;
    const deadline = performance.now() + withinMs;
    while (!(await this.isReady())) {
      if (!this.#isRunning) throw new Error(`${name} ended: ${this.#words}`);
      if (performance.now() > deadline)
        throw new Error(`${name} was not ready in ${withinMs} ms (port ${probes}): ${this.#words}`);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  }

  async isReady(): Promise<boolean> {
    const { host, probes } = this.#order;
    if (probes === undefined) return this.#isRunning;
    const asked = host.fetch(`http://127.0.0.1:${probes}/readyz`, { withinMs: PROBE_MS });
    return asked.then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** SIGKILL: gone; SIGSTOP: there, and silent; SIGCONT: again; others as it takes them. Resolves when it is gone, where it goes. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#isRunning) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGKILL') await gone;
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#isRunning) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGINT');
    const kill = setTimeout(() => child.kill('SIGKILL'), 3_000);
    await gone;
    clearTimeout(kill);
  }
}
