/** One line of what k6 says while it runs (`--out json=-`), as far as it is a sample of ours. Pure. */
import { z } from 'zod';

/** Metrics of ours; k6's own say nothing of a cluster. */
export const PREFIX = 'veilcast_';
const LINE_MAX = 4_096;

const Point = z.object({
  type: z.literal('Point'),
  metric: z.string().max(128).startsWith(PREFIX),
  data: z.object({
    time: z.string().max(64),
    value: z.number(),
    tags: z.record(z.string(), z.string()).optional(),
  }),
});

export interface Sample {
  readonly metric: string;
  /** ms since the Unix epoch. */
  readonly at: number;
  readonly value: number;
  /** An error's, or what else the sample is about. */
  readonly code: string | undefined;
}

/** Undefined for whatever else stands there. */
export function sampleOf(line: string): Sample | undefined {
  if (line.length > LINE_MAX || !line.includes('"Point"') || !line.includes(PREFIX)) return undefined;
  const point = read(line);
  const at = point === undefined ? Number.NaN : Date.parse(point.data.time);
  if (point === undefined || Number.isNaN(at)) return undefined;
  return { metric: point.metric, at, value: point.data.value, code: point.data.tags?.code };
}

function read(line: string): z.infer<typeof Point> | undefined {
  try {
    return Point.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
