/**
 * One coturn process: started, started again when it dies, ended with us. It is never given more than its own folder, and what it
 * says is read here and goes nowhere else.
 */
import { WITH_ITS_PARENT } from '@veilcast/node-kit';
import type { Clock } from '@veilcast/protocol';
import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** First wait before one that died is started again; doubles. Shorter: one that cannot start keeps a core busy. */
const RESTART_MIN_MS = 100;
const RESTART_MAX_MS = 10_000;
/** Alive for so long, and its next death is a first one. */
const STEADY_MS = 10_000;
/** How long it may take to end by itself. */
const END_MS = 2_000;

export interface CoturnOptions {
  readonly program: string;
  readonly configFile: string;
  readonly clock: Clock;
  readonly line: (line: string) => void;
  /** It ended by itself; it is started again after so many ms. */
  readonly died: (why: string, waitMs: number) => void;
}

export class Coturn {
  readonly #options: CoturnOptions;
  #child: ChildProcess | undefined;
  #startedAt = 0;
  #deaths = 0;
  #stopTimer: () => void = () => undefined;
  #ending = false;
  readonly #endNow = (): void => void this.#child?.kill('SIGKILL');

  constructor(options: CoturnOptions) {
    this.#options = options;
    process.once('exit', this.#endNow);
    this.#spawn();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** SIGUSR2: it reads its certificate again. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async close(): Promise<void> {
    this.#ending = true;
    this.#stopTimer();
    process.removeListener('exit', this.#endNow);
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    const stopKill = this.#options.clock.after(END_MS, () => child.kill('SIGKILL'));
    await gone;
    stopKill();
  }

  #spawn(): void {
    const { program, configFile, clock, line } = this.#options;
    this.#startedAt = clock.now();
    // A group of its own: Ctrl-C is for us to pass on.
    const child = spawn('sh', ['-c', WITH_ITS_PARENT, program, '-c', configFile], {
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH, LANG: 'C' },
    });
    this.#child = child;
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', line);
    let told = false;
    const gone = (why: string): void => {
      if (told) return;
      told = true;
      this.#child = undefined;
      // Whoever waits for us to end waits no longer.
      child.stdin.destroy();
      if (!this.#ending) this.#restart(why);
    };
    child.once('error', (error: NodeJS.ErrnoException) => gone(error.code ?? 'error'));
    child.once('exit', (code, signal) => gone(signal ?? `exit ${code}`));
  }

  #restart(why: string): void {
    const { clock, died } = this.#options;
    this.#deaths = clock.now() - this.#startedAt > STEADY_MS ? 1 : this.#deaths + 1;
    const wait = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** Math.min(this.#deaths - 1, 20));
    died(why, wait);
    this.#stopTimer = clock.after(wait, () => this.#spawn());
  }
}
