/** The program in `load-tests/k6/cmd/crowd`: many people in a process of their own. Built where Go is, started, asked in JSON lines. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('../k6', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../../node_modules/.cache/bench/crowd', import.meta.url));

/** As in k6 (k6/scenarios/veilcast.d.ts). */
export interface People {
  readonly room: string;
  readonly role: 'host' | 'speaker' | 'viewer';
  readonly count: number;
  readonly rooms?: number;
  readonly perSecond?: number;
  readonly region?: string;
  readonly keys?: boolean;
  readonly watch?: boolean;
  /** What the last mile of each of them does to the media that comes. */
  readonly link?: { readonly lossPercent?: number; readonly bitsPerSecond?: number };
  readonly publish?: readonly { readonly source: string; readonly shape: object }[];
}

/** Durations in ms. */
export interface Durations {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Measured {
  readonly joins: number;
  readonly join: Durations;
  readonly delay: Durations;
  readonly keyDelay: Durations;
  readonly message: Durations;
  readonly reconnect: Durations;
  readonly rekey: Durations;
  readonly due: number;
  readonly heard: number;
  readonly refusals: Readonly<Record<string, number>>;
  readonly endings: Readonly<Record<string, number>>;
}

export interface Seen {
  readonly peers: number;
  readonly keyed: number;
  /** Watch, and have seen nothing yet. */
  readonly waiting: number;
  readonly came: {
    readonly packets: number;
    /** Missing after all repair. */
    readonly lost: number;
    readonly repaired: number;
    readonly frames: number;
    readonly freezes: number;
    readonly layerChanges: number;
    readonly streams: number;
    readonly jitterMs: number;
  };
  readonly sent: { readonly packets: number; readonly late: number };
}

export interface CrowdProgram {
  readonly pid: number;
  /** How many got in. */
  join(people: People): Promise<number>;
  /** One of each Room speaks to all others there; how many could. */
  say(): Promise<number>;
  /** Everybody is cut off, and comes back; how many did. */
  reconnect(): Promise<number>;
  /** Those who came first leave first; who publishes stays. */
  leave(count: number): Promise<void>;
  /** One of each Room leaves, and all who stay there have the next key; in how many of how many Rooms they had it in 10 s. */
  rekey(): Promise<{ readonly done: number; readonly rooms: number }>;
  /** How many Consumers the cluster holds more than this crowd has reason for, looked at until there are none or for so many seconds. */
  excess(seconds: number): Promise<number>;
  /** Begins the durations anew. */
  forget(): Promise<void>;
  count(): Promise<Seen>;
  report(): Promise<Measured>;
  close(): Promise<void>;
}

/** Whether it can be built here. */
export async function hasGo(): Promise<boolean> {
  return promisify(execFile)('go', ['env', 'GOVERSION']).then(
    ({ stdout }) => Number(/^go1\.(\d+)/.exec(stdout)?.[1] ?? 0) >= 26,
    () => false,
  );
}

/** @param origin of the cluster; on this machine the crowd comes from many addresses. @throws Error when there is no Go to build it with */
export async function startCrowd(origin: string): Promise<CrowdProgram> {
  await promisify(execFile)('go', ['build', '-o', PROGRAM, './cmd/crowd'], { cwd: SOURCE }).catch((cause: unknown) => {
    throw new Error('the crowd could not be built; it needs Go 1.26 or newer and its module proxy, once', { cause });
  });
  const child = spawn(PROGRAM, [], { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let id = 0;
  // It answers in turn.
  const ask = async <T>(op: string, args: object = {}): Promise<T> => {
    child.stdin.write(`${JSON.stringify({ id: ++id, op, args })}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the crowd ended');
    const { result, error } = JSON.parse(value) as { result: T; error?: string };
    if (error !== undefined) throw new Error(`crowd: ${error}`);
    return result;
  };
  await ask('open', { origin, sources: 200 });
  return {
    pid: child.pid ?? 0,
    join: (people) => ask('join', people),
    say: () => ask('say'),
    reconnect: () => ask('reconnect'),
    leave: (count) => ask('leave', { count }),
    rekey: () => ask('rekey'),
    excess: (seconds) => ask('excess', { seconds }),
    forget: () => ask('forget'),
    count: () => ask('count'),
    report: () => ask('report'),
    close: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
