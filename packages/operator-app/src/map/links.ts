/** Pipes added up for a pair of nodes and a direction: that is what a map can show. Pure. */
import type { PipePicture } from '@veilcast/protocol';

export interface NodeLink {
  readonly from: string;
  readonly to: string;
  readonly pipes: number;
  readonly producers: number;
  readonly packetsPerSecond: number;
  readonly bitsPerSecond: number;
  /** The slowest one's; null before any was measured. */
  readonly rttMs: number | null;
  /** The worst one's. */
  readonly lossRatio: number;
}

export function linksOf(pipes: readonly PipePicture[]): NodeLink[] {
  const links = new Map<string, NodeLink>();
  for (const pipe of pipes) {
    const key = JSON.stringify([pipe.fromNode, pipe.toNode]);
    const known = links.get(key);
    links.set(key, {
      from: pipe.fromNode,
      to: pipe.toNode,
      pipes: (known?.pipes ?? 0) + 1,
      producers: (known?.producers ?? 0) + pipe.producers,
      packetsPerSecond: (known?.packetsPerSecond ?? 0) + pipe.packetsPerSecond,
      bitsPerSecond: (known?.bitsPerSecond ?? 0) + pipe.bitsPerSecond,
      rttMs: slower(known?.rttMs ?? null, pipe.rttMs),
      lossRatio: Math.max(known?.lossRatio ?? 0, pipe.lossRatio),
    });
  }
  return [...links.values()];
}

function slower(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

/** 1.5 px for an idle line, two more for every tenfold rate: a voice and ten films both show. */
export function widthOf(packetsPerSecond: number): number {
  return Math.min(12, 1.5 + 2 * Math.log10(1 + packetsPerSecond));
}

/** Whole without loss; the gaps grow with it, and at a tenth lost most of the line is gap. */
export function dashOf(lossRatio: number): string | undefined {
  if (lossRatio < 0.001) return undefined;
  const gap = Math.min(16, 3 + lossRatio * 130);
  return `${Math.max(4, 16 - gap).toFixed(0)} ${gap.toFixed(0)}`;
}
