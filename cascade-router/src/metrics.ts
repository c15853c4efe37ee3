/** A cascade-router's figures for Prometheus. Labels are words of this program, never ids. */
import { SECONDS_BUCKETS } from '@veilcast/node-kit';
import type { ErrorCode } from '@veilcast/protocol';
import type { Step } from '@veilcast/topology';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** Plans of small Rooms take microseconds. */
const PLAN_BUCKETS = [0.000_05, 0.000_1, 0.000_25, 0.000_5, ...SECONDS_BUCKETS];

export interface CascadeMetrics {
  /** Starts to measure a Plan; call what it returns at the end. */
  planning(): () => void;
  stepDone(kind: Step['kind']): void;
  stepFailed(kind: Step['kind'], code: ErrorCode): void;
  /** Trees of a Room were laid anew because the network is another one. */
  restructured(): void;
  placed(outcome: 'placed' | 'NO_REGION' | 'CLUSTER_FULL'): void;
}

function name(last: string): string {
  return `veilcast_cascade_${last}`;
}

/** @param open what is counted when the figures are read */
export function cascadeMetrics(
  registry: Registry,
  open: { readonly rooms: () => number; readonly pipes: () => number },
): CascadeMetrics {
  const registers = [registry];
  const gauge = (last: string, help: string, read: () => number): void => {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    registry.registerMetric(new Gauge({ name: name(last), help, registers: [], collect }));
  };
  gauge('rooms', 'Rooms whose Plan this process owns', open.rooms);
  gauge('pipes_open', 'Pipes of those Rooms that are joined', open.pipes);
  const plans = new Histogram({
    name: name('plan_seconds'),
    help: 'Time to plan a Room',
    buckets: PLAN_BUCKETS,
    registers,
  });
  const steps = new Counter({
    name: name('steps_total'),
    help: 'Steps done on Nodes, by kind and outcome',
    labelNames: ['kind', 'outcome'] as const,
    registers,
  });
  const placements = new Counter({
    name: name('placements_total'),
    help: 'Peers placed or refused',
    labelNames: ['outcome'] as const,
    registers,
  });
  const restructured = new Counter({
    name: name('restructured_total'),
    help: 'Plans changed because another tree had been better for long enough',
    registers,
  });
  return {
    planning: () => plans.startTimer(),
    stepDone: (kind) => steps.inc({ kind, outcome: 'done' }),
    stepFailed: (kind, outcome) => steps.inc({ kind, outcome }),
    restructured: () => restructured.inc(),
    placed: (outcome) => placements.inc({ outcome }),
  };
}
