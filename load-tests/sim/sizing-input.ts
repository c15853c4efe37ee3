/** What an operator asks of `veilcast size`, checked: bitrates as people write them, names of regions. */
import { ClusterError, RegionId } from '@veilcast/protocol';

export type Region = RegionId;

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };
/** Below nothing is heard, above nothing is sent. */
const BITRATE = { min: 10_000, max: 200_000_000 } as const;

/** `1.5M`, `800k`, `64000`: bits a second. @throws ClusterError MALFORMED */
export function bitrateOf(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([kMG]?)$/.exec(text) ?? [];
  const bits = Number(number) * (UNITS[unit] ?? Number.NaN);
  if (!(bits >= BITRATE.min && bits <= BITRATE.max))
    throw new ClusterError('MALFORMED', `A bitrate is 10k to 200M: 1.5M, 800k. This is not: ${text}`);
  return bits;
}

/** @throws ClusterError MALFORMED */
export function regionsOf(text: string): Region[] {
  const parsed = RegionId.array().min(1).max(64).safeParse(text.split(','));
  if (!parsed.success)
    throw new ClusterError(
      'MALFORMED',
      `Regions are lower-case words with commas between, as eu,us. These are not: ${text}`,
    );
  if (new Set(parsed.data).size < parsed.data.length)
    throw new ClusterError('MALFORMED', `A region is named twice: ${text}`);
  return parsed.data;
}

/** @throws ClusterError MALFORMED */
export function countOf(text: string, what: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max)
    throw new ClusterError(
      'MALFORMED',
      `${what}: a whole number from 1 to ${max.toLocaleString('en')}. This is not: ${text}`,
    );
  return value;
}

/** Not below 0. @throws ClusterError MALFORMED */
export function priceOf(text: string, what: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new ClusterError('MALFORMED', `${what}: a number, 0 or more. This is not: ${text}`);
  return value;
}
