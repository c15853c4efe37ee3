/** What a simulation found. Of one seed, one result: nothing of the machine that ran it is in here. */
import type { Quantiles } from './histogram.ts';
import type { Rekeyed } from './keys.ts';
import type { Capacity } from './capacity.ts';

export interface Sample {
  /** Virtual seconds. */
  readonly at: number;
  readonly viewers: number;
  /** Who wants in and has no seat. */
  readonly waiting: number;
  readonly joinsPerS: number;
  readonly nodes: number;
  readonly workers: number;
  /** Cores that media keeps busy. */
  readonly coresBusy: number;
  readonly egressGbps: number;
  readonly frameP50: number;
  readonly frameP99: number;
  readonly keyFrameP99: number;
}

export interface RegionFound {
  readonly region: string;
  readonly viewers: number;
  readonly nodes: number;
  readonly workers: number;
  readonly lost: boolean;
  /** Mean way from the publisher to the Workers there, ms. */
  readonly wayMs: number;
}

export interface Link {
  readonly from: string;
  readonly to: string;
  readonly pipes: number;
}

export interface Happened {
  readonly at: number;
  readonly kind: string;
  readonly what: string;
  /** Until people had their media again, or their keys, ms. */
  readonly ms?: Quantiles;
}

export interface Needs {
  readonly nodes: number;
  readonly mediaCores: number;
  readonly mediaCoresBusy: number;
  readonly signalingProcesses: number;
  /** Cores that joins and a new key a second keep busy. */
  readonly signalingCoresBusy: number;
  readonly signalingGiB: number;
  readonly egressGbps: number;
  readonly betweenRegionsGbps: number;
  readonly costPerHour: number;
  readonly currency: string;
}

export interface Found {
  readonly scenario: string;
  readonly title: string;
  readonly viewers: number;
  readonly mode: 'cohorts' | 'exact';
  readonly seed: number;
  readonly costsOf: string;
  /** False: it was stopped at `minutes`. */
  readonly complete: boolean;
  readonly minutes: number;
  readonly capacity: Capacity;
  /** At the peak. */
  readonly needs: Needs;
  readonly frames: Quantiles;
  readonly keyFrames: Quantiles;
  readonly frameCurve: readonly (readonly [number, number])[];
  readonly keyFrameCurve: readonly (readonly [number, number])[];
  readonly joins: Quantiles;
  readonly kick: Rekeyed;
  readonly leave: Rekeyed;
  readonly tree: {
    readonly depths: Readonly<Record<string, number>>;
    readonly fanOutMax: number;
    readonly fanOutMean: number;
    readonly pipes: number;
    readonly plans: number;
    /** Times that trees were laid anew because they had become too long. */
    readonly restructures: number;
  };
  readonly regions: readonly RegionFound[];
  readonly links: readonly Link[];
  readonly happened: readonly Happened[];
  readonly samples: readonly Sample[];
  /** Sentences: what would not hold, and why. */
  readonly limits: readonly string[];
}
