/** What a run was worth: k6's summary, the thresholds that it names, and whether the generator was the bottleneck. Pure. */
import { z } from 'zod';

const Metric = z.object({
  type: z.string().max(16),
  contains: z.string().max(16),
  values: z.record(z.string(), z.number()),
  thresholds: z.record(z.string(), z.object({ ok: z.boolean() })).optional(),
});
export const Summary = z.object({ metrics: z.record(z.string(), Metric) });
export type Summary = z.infer<typeof Summary>;

export interface Threshold {
  readonly metric: string;
  readonly rule: string;
  readonly ok: boolean;
}

export interface Verdict {
  readonly outcome: 'held' | 'missed' | 'void';
  /** Why it is void. */
  readonly why: readonly string[];
  readonly thresholds: readonly Threshold[];
}

/** Share of the machine's cores, %, above which the generator measures itself. */
export const GENERATOR_CPU_MAX = 70;
/** A timer that comes so much later than it was set, ms, in more than one of twenty seconds: nobody's clock can be trusted. */
export const GENERATOR_LATE_MAX = 50;
/** Share of all frames, %, that a publisher here left out because it came too late to send them. */
const LATE_FRAMES_MAX = 1;

export function judge(summary: Summary): Verdict {
  const { metrics } = summary;
  const thresholds = Object.entries(metrics).flatMap(([metric, { thresholds: rules = {} }]) =>
    Object.entries(rules).map(([rule, { ok }]) => ({ metric, rule, ok })),
  );
  const cpu = metrics.veilcast_generator_cpu_percent?.values['p(95)'] ?? 0;
  const late = metrics.veilcast_generator_late?.values['p(95)'] ?? 0;
  const skipped = metrics.veilcast_frames_late?.values.count ?? 0;
  const shown = metrics.veilcast_frames?.values.count ?? 0;
  const why = [
    ...(cpu > GENERATOR_CPU_MAX ? [`the generator used ${cpu.toFixed(0)} % of the cores (p95)`] : []),
    ...(late > GENERATOR_LATE_MAX ? [`the generator's timers came ${late.toFixed(0)} ms late (p95)`] : []),
    ...(skipped > 10 && 100 * skipped > LATE_FRAMES_MAX * shown
      ? [`the publishers left out ${skipped} frames, too late to send them`]
      : []),
  ];
  const held = thresholds.every(({ ok }) => ok);
  return { outcome: why.length > 0 ? 'void' : held ? 'held' : 'missed', why, thresholds };
}
