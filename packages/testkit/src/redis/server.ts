/** A real redis-server for one test: on a free port, in a directory of its own, killed and removed at the end. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A process that listens takes some 20 ms here; under load seconds. */
const UP_WITHIN_MS = 15_000;

export interface RedisServer {
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  /** What redis-cli prints for it. @throws Error when it cannot be reached or answers with an error */
  cli(...args: string[]): Promise<string>;
  /** SIGKILL; what it had not written is lost. */
  kill(): Promise<void>;
  /** SIGSTOP: it is there and answers nothing. */
  pause(): void;
  resume(): void;
  /** Starts it again on the same port, with what it wrote down. */
  start(): Promise<void>;
  /** Ends it and removes its directory. */
  close(): Promise<void>;
}

export interface RedisServerOptions {
  /** As in redis.conf, without dashes: `{ appendonly: 'yes' }`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Lines of a file to start from; a Sentinel must have one that it can write to. */
  readonly file?: readonly string[] | undefined;
  readonly sentinel?: boolean | undefined;
  /** A free one if not given. */
  readonly port?: number | undefined;
}

/** All servers that run, so that none outlives the process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** @throws Error when there is no redis-server, or it does not come up */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'veilcast-redis-'));
  const server = new Server(dir, options.port ?? (await freePort()), options);
  try {
    await server.start();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

class Server implements RedisServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly #dir: string;
  readonly #options: RedisServerOptions;
  #child: ChildProcess | undefined;

  constructor(dir: string, port: number, options: RedisServerOptions) {
    this.#dir = dir;
    this.port = port;
    this.#options = options;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    const { settings = {}, file = [], sentinel = false } = this.#options;
    const all = { port: `${this.port}`, bind: this.host, dir: this.#dir, logfile: join(this.#dir, 'log'), ...settings };
    const args = Object.entries(sentinel ? all : { save: '', ...all }).flatMap(([name, value]) => [`--${name}`, value]);
    const conf = join(this.#dir, 'redis.conf');
    if (file.length > 0) await writeFile(conf, `${file.join('\n')}\n`, { flag: 'wx' }).catch(() => undefined);
    const child = spawn(
      'redis-server',
      [...(file.length > 0 ? [conf] : []), ...args, ...(sentinel ? ['--sentinel'] : [])],
      {
        stdio: 'ignore',
      },
    );
    this.#child = child;
    running.add(child);
    let failure: unknown;
    child.on('error', (error) => (failure = error)).on('exit', () => running.delete(child));
    const deadline = performance.now() + UP_WITHIN_MS;
    while (!(await this.#listens())) {
      if (failure !== undefined || child.exitCode !== null || performance.now() > deadline)
        throw new Error('redis-server did not come up; is it installed?', { cause: failure });
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async cli(...args: string[]): Promise<string> {
    const all = ['-h', this.host, '-p', `${this.port}`, '-e', ...args];
    const { stdout } = await promisify(execFile)('redis-cli', all, { timeout: 30_000 });
    return stdout.trim();
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await gone;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async close(): Promise<void> {
    await this.kill();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #listens(): Promise<boolean> {
    const socket = connect(this.port, this.host);
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  }
}
