/** How long the picture of somebody stood still, read off the frames that a viewer's browser presented. */
import type { Page } from 'playwright-core';

interface Watch {
  longest: number;
  last: number;
  frames: number;
}

/** Begins to watch the tile of `name` on this page, anew each time. Whatever element shows it. */
export async function watchGaps(page: Page, name: string): Promise<void> {
  await page.evaluate((who) => {
    const scope = window as unknown as { gaps?: Map<string, Watch & { timer: number }> };
    scope.gaps ??= new Map();
    clearInterval(scope.gaps.get(who)?.timer);
    let seen: string | undefined;
    let element: HTMLVideoElement | undefined;
    let generation = 0;
    const look = (): void => {
      const video = document.querySelector<HTMLVideoElement>(`[data-testid="tile"][data-name="${who}"] video`);
      const count = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
      if (!video || count === 0) return;
      if (video !== element) generation += 1;
      element = video;
      const now = performance.now();
      const frame = `${generation} ${(video.srcObject as MediaStream | null)?.id} ${count}`;
      if (frame === seen) return;
      // The first look finds a frame of an unknown age.
      if (seen !== undefined) watch.longest = Math.max(watch.longest, now - watch.last);
      seen = frame;
      watch.last = now;
      watch.frames += 1;
    };
    const watch = { longest: 0, last: performance.now(), frames: 0, timer: window.setInterval(look, 10) };
    scope.gaps.set(who, watch);
  }, name);
}

/** The longest gap so far, ms, the one that lasts now included; and how many frames were seen. */
export async function gapOf(page: Page, name: string): Promise<{ gapMs: number; frames: number }> {
  return page.evaluate((who) => {
    const watch = (window as unknown as { gaps?: Map<string, Watch> }).gaps?.get(who);
    if (!watch) return { gapMs: Number.POSITIVE_INFINITY, frames: 0 };
    return { gapMs: Math.round(Math.max(watch.longest, performance.now() - watch.last)), frames: watch.frames };
  }, name);
}
