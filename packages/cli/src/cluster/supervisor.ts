/**
 * Processes that belong together: started, started again when they die, and ended in order. Each is in a group of its own,
 * so that Ctrl-C reaches the supervisor alone, which then ends them once. One that is killed leaves nobody behind either: a pipe and
 * an IPC channel to each close with it, and each ends by that.
 */
import type { Logger } from '@veilcast/node-kit';
import { spawn, type ChildProcess } from 'node:child_process';

/**
 * First wait before a process that died is started again; doubles. Shorter: one that cannot start keeps a core busy, and one that starts takes the
 * cores of this machine from those that take over what it did.
 */
const RESTART_MIN_MS = 1_500;
const RESTART_MAX_MS = 10_000;
/** Alive for so long, and its next death is a first one. */
const STEADY_MS = 10_000;
/** How long a process may take to end by itself. Longer: `up` takes more than 5 s to end. */
const END_MS = 3_500;

export interface ProcessOrder {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The others need it to end well. */
  readonly endsLast?: boolean | undefined;
}

interface Running {
  readonly order: ProcessOrder;
  child: ChildProcess | undefined;
  startedAt: number;
  deaths: number;
  timer: NodeJS.Timeout | undefined;
}

export class Supervisor {
  readonly #log: Logger;
  readonly #running: Running[] = [];
  #ending = false;

  /** Told of each process that ended by itself; it is started again all the same. */
  onDeath: (name: string) => void = () => undefined;

  constructor(log: Logger) {
    this.#log = log;
    // Whatever ends this process, they are not left behind; after SIGKILL they notice by themselves.
    process.once('exit', () => {
      for (const { child } of this.#running) child?.kill('SIGKILL');
    });
  }

  start(order: ProcessOrder): void {
    const running: Running = { order, child: undefined, startedAt: 0, deaths: 0, timer: undefined };
    this.#running.push(running);
    this.#spawn(running);
  }

  #spawn(running: Running): void {
    const { name, command, args, env, cwd } = running.order;
    running.startedAt = performance.now();
    const child = spawn(command, args, {
      cwd,
      env: { ...env },
      detached: true,
      stdio: ['pipe', 'inherit', 'inherit', 'ipc'],
    });
    running.child = child;
    child.stdin?.on('error', () => undefined);
    let told = false;
    const gone = (why: string): void => {
      if (told) return;
      told = true;
      running.child = undefined;
      if (this.#ending) return;
      running.deaths = performance.now() - running.startedAt > STEADY_MS ? 1 : running.deaths + 1;
      const wait = Math.min(RESTART_MAX_MS, RESTART_MIN_MS * 2 ** (running.deaths - 1));
      this.#log.warn({ process: name, why, wait }, 'a process ended; it is started again');
      this.onDeath(name);
      running.timer = setTimeout(() => this.#spawn(running), wait);
    };
    child.once('error', (error: NodeJS.ErrnoException) => gone(error.code ?? 'error'));
    child.once('exit', (code, signal) => gone(signal ?? `exit ${code}`));
  }

  /** Ends them all; what has not ended in time is killed. */
  async close(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#running.filter((one) => !isLast(one)).map(end));
    await Promise.all(this.#running.filter(isLast).map(end));
  }
}

const isLast = ({ order }: Running): boolean => order.endsLast === true;

async function end({ child, timer }: Running): Promise<void> {
  clearTimeout(timer);
  if (child === undefined) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // Not SIGTERM: nobody is left whom a Node could move its Peers to.
  child.kill('SIGINT');
  const kill = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await gone;
  clearTimeout(kill);
}
