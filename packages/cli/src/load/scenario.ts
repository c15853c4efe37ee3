/** Which scenarios there are, and what the head of each file says of it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClusterError } from '@veilcast/protocol';

const FOLDER = fileURLToPath(new URL('../../../../load-tests/k6/scenarios/', import.meta.url));
/** Not scenarios: what they share. */
const SHARED: ReadonlySet<string> = new Set(['run.ts', 'veilcast.d.ts']);

export interface Scenario {
  readonly name: string;
  readonly file: string;
  /** Its first comment. */
  readonly title: string;
  /** It lets a process die, so it runs against a cluster of processes of its own and no other: `export const cluster = 'processes'`. */
  readonly isDestructive: boolean;
}

export async function scenarios(): Promise<Scenario[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.ts') && !SHARED.has(file));
  return Promise.all(files.toSorted().map((file) => read(file.slice(0, -'.ts'.length), join(FOLDER, file))));
}

async function read(name: string, file: string): Promise<Scenario> {
  const text = await readFile(file, 'utf8');
  const [, comment = ''] = /^\/\*\*(.*?)\*\//s.exec(text) ?? [];
  const title = comment.replaceAll(/\s*\n \*\s*/g, ' ').trim();
  return { name, file, title, isDestructive: /^export const cluster = 'processes';$/m.test(text) };
}

/** @throws ClusterError NOT_FOUND */
export async function scenarioNamed(name: string): Promise<Scenario> {
  const all = await scenarios();
  const found = all.find((one) => one.name === name);
  if (found) return found;
  throw new ClusterError('NOT_FOUND', `No such scenario. There are: ${all.map((one) => one.name).join(', ')}`);
}
