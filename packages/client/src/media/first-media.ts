/** When something received has come to life: the first decoded frame of a picture, the first packet of a sound. */
import type { Clock } from '@veilcast/protocol';
import type { Received } from './receiving.ts';

const LOOK_EVERY_MS = 50;
/** What is muted, hidden or silent never comes; after this it is taken as it is. Longer: an old way is kept for nothing. */
export const FIRST_MEDIA_MAX_MS = 3_000;

/** Calls `come` once, unless it is cancelled by what it returns. */
export function onFirstMedia({ receiver }: Received, clock: Clock, come: () => void): () => void {
  const since = clock.now();
  let cancel: (() => void) | undefined;
  let over = false;
  const look = async (): Promise<void> => {
    const isHere = receiver === undefined || (await hasMedia(receiver).catch(() => false));
    if (over) return;
    if (!isHere && clock.now() - since < FIRST_MEDIA_MAX_MS) cancel = clock.after(LOOK_EVERY_MS, () => void look());
    else come();
  };
  cancel = clock.after(LOOK_EVERY_MS, () => void look());
  return () => {
    over = true;
    cancel?.();
  };
}

async function hasMedia(receiver: RTCRtpReceiver): Promise<boolean> {
  const entries = Array.from((await receiver.getStats()).values()) as Record<string, unknown>[];
  return entries.some(({ type, kind, framesDecoded, packetsReceived }) => {
    return type === 'inbound-rtp' && Number(kind === 'video' ? framesDecoded : packetsReceived) > 0;
  });
}
