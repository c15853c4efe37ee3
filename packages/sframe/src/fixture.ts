/** Two members of a group with a Keyring each, for tests. */
import type { Codec, OpenOutcome, SealOutcome } from './model.ts';
import { Keyring } from './keyring.ts';

export const MEMBERS: ReadonlyMap<number, string> = new Map([
  [0, 'ada'],
  [1, 'bob'],
  [2, 'cyd'],
]);

/** Those whose clear bytes, if any, are at the front. */
export const CODECS: readonly Codec[] = ['opus', 'vp8', 'vp9'];

/** A base key that is the same for the same number. */
export function baseKey(seed: number): Uint8Array {
  return Uint8Array.from({ length: 64 }, (_, i) => (seed * 31 + i * 7) & 255);
}

export async function keyringOf(leaf: number, epoch = 1, now = 0, seed = epoch): Promise<Keyring> {
  const keyring = new Keyring();
  await install(keyring, leaf, epoch, now, seed);
  return keyring;
}

export function install(
  keyring: Keyring,
  leaf: number,
  epoch: number,
  now: number,
  seed = epoch,
  sealFrom = now,
): Promise<boolean> {
  return keyring.install({ epoch, baseKey: baseKey(seed), selfLeaf: leaf, members: MEMBERS }, now, sealFrom);
}

export function bytesOf(outcome: SealOutcome): Uint8Array<ArrayBuffer> {
  if (outcome.kind !== 'sealed') throw new Error(`not sealed: ${outcome.reason}`);
  return outcome.bytes;
}

/** `opened`, or the reason why not. */
export function verdict(outcome: OpenOutcome | SealOutcome): string {
  return outcome.kind === 'refused' ? outcome.reason : outcome.kind;
}

/** A frame whose first byte is one of VP8, and whose others tell it from others. */
export function frame(length: number, mark = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 13 + mark) & 255);
}
