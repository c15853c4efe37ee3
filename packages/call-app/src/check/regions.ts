/** The round-trip time to every region, nearest first: what the choice of a node is made by. */
import { measureRegions } from '../visit/connect.ts';

export async function regionTimes(): Promise<readonly { readonly region: string; readonly rttMs: number }[]> {
  const times = await measureRegions(location.origin);
  return [...times].sort((a, b) => a.rttMs - b.rttMs);
}
