/** What a run was worth: its thresholds, whether a generator was the bottleneck, and what it left behind. Pure. */
import type { Figures, Threshold } from './figures.ts';
import type { Held } from './held.ts';

export interface Verdict {
  readonly outcome: 'held' | 'missed' | 'void';
  /** Why it is void. */
  readonly why: readonly string[];
  readonly thresholds: readonly Threshold[];
  /** What the cluster held after everybody had left, and not before anybody came. */
  readonly left: readonly string[];
}

/** Share of the machine's cores, %, above which the generator measures itself. */
export const GENERATOR_CPU_MAX = 70;
/** A timer that comes so much later than it was set, ms, in more than one of twenty seconds: nobody's clock can be trusted. */
export const GENERATOR_LATE_MAX = 50;
/** Share of all frames, %, that a publisher here left out because it came too late to send them. */
const LATE_FRAMES_MAX = 1;

/** @param generators the figures of each by itself: one that is overloaded does not hide among others */
export function judge(
  thresholds: readonly Threshold[],
  generators: readonly Figures[],
  { left = [], why: otherwise = [] }: Partial<Pick<Verdict, 'left' | 'why'>> = {},
): Verdict {
  const bottlenecks = generators.flatMap((figures, at) =>
    bottleneckOf(figures).map((reason) => (generators.length === 1 ? reason : `generator ${at + 1}: ${reason}`)),
  );
  const why = [...otherwise, ...bottlenecks];
  const held = thresholds.every(({ ok }) => ok) && left.length === 0;
  return { outcome: why.length > 0 ? 'void' : held ? 'held' : 'missed', why, thresholds, left };
}

function bottleneckOf(figures: Figures): string[] {
  const of = (metric: string, value: string): number => figures[metric]?.values[value] ?? 0;
  const cpu = of('veilcast_generator_cpu_percent', 'p(95)');
  const late = of('veilcast_generator_late', 'p(95)');
  const skipped = of('veilcast_frames_late', 'count');
  return [
    ...(cpu > GENERATOR_CPU_MAX ? [`the generator used ${cpu.toFixed(0)} % of the cores (p95)`] : []),
    ...(late > GENERATOR_LATE_MAX ? [`the generator's timers came ${late.toFixed(0)} ms late (p95)`] : []),
    ...(skipped > 10 && 100 * skipped > LATE_FRAMES_MAX * of('veilcast_frames', 'count')
      ? [`the publishers left out ${skipped} frames, too late to send them`]
      : []),
  ];
}

/** What there is more of than before. */
export function leftOf(before: Held, after: Held): string[] {
  return Object.entries(after).flatMap(([what, count]) => {
    const more = count - (before[what] ?? 0);
    return more > 0 ? [`${more} ${what}`] : [];
  });
}
