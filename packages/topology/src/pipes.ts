/** The name of a Pipe says which Workers it joins, so that anybody who meets an end of it knows the other. */
import type { PipeId, WorkerId } from '@veilcast/protocol';

/** One Pipe an ordered pair of Workers: `<from>><to>`. No id contains `>`, so it reads back. */
export function pipeIdOf(from: WorkerId, to: WorkerId): PipeId {
  return `${from}>${to}` as PipeId;
}

/** The Workers that a Pipe joins; undefined for a name that no Plan made. */
export function workersOf(pipeId: PipeId): { readonly from: WorkerId; readonly to: WorkerId } | undefined {
  const [from, to, ...rest] = pipeId.split('>');
  if (!from || !to || rest.length > 0) return undefined;
  return { from: from as WorkerId, to: to as WorkerId };
}
