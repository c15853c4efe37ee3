/** What a crowd is let into, in a process of its own: a whole cluster of one region with one media worker, as `veilcast up` starts it. */
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { readdir, readFile } from 'node:fs/promises';
import { answer } from './child.ts';

let cluster: Cluster | undefined;

/** Processes that this one has started. The media worker is the only one. */
async function children(): Promise<number[]> {
  const threads = await readdir('/proc/self/task');
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/self/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}

const answers = {
  start: async () => {
    cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu')], lan: false });
    const [workerPid = 0] = await children();
    return { origin: cluster.origin, workerPid };
  },
};
export type CrowdSubject = typeof answers;

if (import.meta.main) answer(answers, () => cluster?.close());
