/** Packets and bits a second of pipe ends, from differences of their counters. Counters are measured once a second by a Node. */
import type { PipeReport } from './messages.ts';

/** Unchanged counters for this long mean that nothing flows, and not that nobody has measured yet. */
const STILL_MS = 1_500;

interface Rate {
  packets: number;
  bytes: number;
  at: number;
  packetsPerSecond: number;
  bitsPerSecond: number;
}

export class PipeRates {
  #rates = new Map<string, Rate>();

  /** Ends that are not in the report any more are forgotten. */
  take(pipes: readonly PipeReport[], now: number): void {
    const next = new Map<string, Rate>();
    for (const pipe of pipes) {
      const key = keyOf(pipe);
      next.set(key, nextRate(this.#rates.get(key), pipe, now));
    }
    this.#rates = next;
  }

  of(pipe: PipeReport): { readonly packetsPerSecond: number; readonly bitsPerSecond: number } {
    return this.#rates.get(keyOf(pipe)) ?? { packetsPerSecond: 0, bitsPerSecond: 0 };
  }

  clear(): void {
    this.#rates.clear();
  }
}

function keyOf({ roomId, pipeId, workerId }: PipeReport): string {
  return `${roomId} ${pipeId} ${workerId}`;
}

function nextRate(last: Rate | undefined, { packets, bytes }: PipeReport, now: number): Rate {
  const fresh = { packets, bytes, at: now };
  // A counter that went back is that of another life of the end.
  if (!last || packets < last.packets || bytes < last.bytes) return { ...fresh, packetsPerSecond: 0, bitsPerSecond: 0 };
  const seconds = (now - last.at) / 1000;
  if (packets === last.packets && seconds * 1000 < STILL_MS) return last;
  if (seconds <= 0) return last;
  return {
    ...fresh,
    packetsPerSecond: (packets - last.packets) / seconds,
    bitsPerSecond: ((bytes - last.bytes) * 8) / seconds,
  };
}
