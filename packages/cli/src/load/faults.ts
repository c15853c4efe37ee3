/** What a scenario lets happen to the processes of its own cluster: one dies, or a Region hangs. Linux alone. */
import { readdir, readFile } from 'node:fs/promises';
import { ClusterError } from '@veilcast/protocol';

/** `kill signaling-1`: SIGKILL. `hang us`: SIGSTOP of every Node of a Region, with its media workers. */
const FAULT = /^(kill|hang) ([a-z0-9-]{1,64})$/;

async function childrenOf(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

/** The processes of a cluster as `up --cluster` lays them out: each is told of a file with its name. */
async function named(parent: number, isMeant: (name: string) => boolean): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await childrenOf(parent)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const [, name = ''] = /\/([a-z0-9-]+)\.toml\0/.exec(command) ?? [];
    if (name !== '' && isMeant(name)) found.push(pid, ...(await childrenOf(pid)));
  }
  return found;
}

export class Faults {
  readonly #parent: number;
  readonly #stopped = new Set<number>();

  /** @param parent the process that started them */
  constructor(parent: number) {
    this.#parent = parent;
  }

  /** @throws ClusterError MALFORMED, NOT_FOUND */
  async plant(fault: string): Promise<void> {
    const [, what, whom = ''] = FAULT.exec(fault) ?? [];
    if (what === undefined) throw new ClusterError('MALFORMED', `This is no fault: ${fault}`);
    const region = new RegExp(`^${whom}-\\d+$`);
    const pids = await named(this.#parent, (name) => (what === 'kill' ? name === whom : region.test(name)));
    if (pids.length === 0) throw new ClusterError('NOT_FOUND', `No process for the fault: ${fault}`);
    for (const pid of pids) {
      process.kill(pid, what === 'kill' ? 'SIGKILL' : 'SIGSTOP');
      if (what === 'hang') this.#stopped.add(pid);
    }
  }

  /** Lets what hangs go on, so that it can end. */
  release(): void {
    for (const pid of this.#stopped) {
      try {
        process.kill(pid, 'SIGCONT');
      } catch {
        // It has ended.
      }
    }
    this.#stopped.clear();
  }
}
