/** By which path media goes now, asked of the transports. */
import { transportOf, type StatsEntries } from './media/stats.ts';
import type { Transports } from './media/transports.ts';
import { pathOf, type MediaPath } from './network/path.ts';

/** Of the direct path where there is one; of the one that receives, or of the one that sends where nothing comes; empty before there is either. */
export async function pathReport(
  transports: Pick<Transports, 'receive' | 'send'> | undefined,
  direct?: StatsEntries,
): Promise<{ readonly transport: string; readonly path?: MediaPath | undefined }> {
  if (direct) return { transport: transportOf(direct), path: pathOf(direct) };
  for (const end of transports ? [transports.receive, transports.send] : []) {
    const stats = await end.getStats().catch(() => new Map<string, unknown>());
    const transport = transportOf(stats);
    if (transport !== '') return { transport, path: pathOf(stats) };
  }
  return { transport: '' };
}
