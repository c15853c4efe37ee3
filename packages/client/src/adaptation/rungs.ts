/**
 * What a leg carries on each rung, from sound alone to everything. Pure.
 *
 * The floors are those of the ladder that is published (media/ladder.ts: about 150 to 250, 700 and 2,000 kb/s a layer) with the sound and 20 % for
 * headers and repairs. The least that a rung of the way up takes is that of its lowest layer in its lowest frame rate: the browser divides what there is.
 */

export interface SendRung {
  /** Bits a second below which it does not fit. */
  readonly floor: number;
  /** The highest spatial layer that is encoded; null: no picture. */
  readonly layersMax: number | null;
  /** Of each picture; undefined: as captured. */
  readonly framesPerSecond?: number;
  /** Of the voice, at most. */
  readonly soundBps: number;
  /** What one packet of sound may hold. Longer: fewer headers, which are 26 kb/s at 20 ms; shorter: less delay. */
  readonly packetMs: 20 | 60;
}

/** Speech stays words down to the first; from the last on more is not heard. */
export const SOUND_BPS = [6_000, 10_000, 16_000, 24_000, 32_000, 40_000, 64_000] as const;
export const SOUND_MIN = SOUND_BPS[0];

const EVERY_LAYER = 7;

export const SEND_RUNGS: readonly SendRung[] = [
  { floor: 0, layersMax: null, soundBps: 16_000, packetMs: 60 },
  { floor: 100_000, layersMax: 0, framesPerSecond: 8, soundBps: 16_000, packetMs: 60 },
  { floor: 130_000, layersMax: 0, soundBps: 24_000, packetMs: 60 },
  { floor: 350_000, layersMax: 1, soundBps: 40_000, packetMs: 20 },
  { floor: 1_000_000, layersMax: EVERY_LAYER, soundBps: 40_000, packetMs: 20 },
];

/** The smallest picture costs a processor next to nothing, to encode or to decode. */
export const SEND_CPU_LOWEST = 2;
export const RECEIVE_CPU_LOWEST = 1;

export interface ReceiveRung {
  /** Bits a second for each picture. */
  readonly floor: number;
  /** The highest spatial layer that is asked for; null: no picture. */
  readonly layersMax: number | null;
  /** What is asked of those who speak; undefined: nothing. */
  readonly soundBps?: number;
}

export const RECEIVE_RUNGS: readonly ReceiveRung[] = [
  { floor: 0, layersMax: null, soundBps: 16_000 },
  { floor: 100_000, layersMax: 0, soundBps: 24_000 },
  { floor: 450_000, layersMax: 1 },
  { floor: 1_200_000, layersMax: EVERY_LAYER },
];

/** Headers, seals and repairs of sound, bits a second: 66 bytes a packet (RTP with extensions 28, SFrame 22, SRTP 16). */
export function soundOverhead(packetMs: number): number {
  return (66 * 8_000) / packetMs;
}
