/** How long the picture of somebody stood still, read off the frames that a viewer's browser presented. */
import type { Page } from 'playwright-core';

interface Watch {
  longest: number;
  last: number;
  frames: number;
  /** Ids of the tracks that were shown. */
  tracks: Set<string>;
  /** Longest time without any track that lives, and since when there is none. */
  blank: number;
  blankSince: number | undefined;
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
      const now = performance.now();
      const track = (video?.srcObject as MediaStream | null | undefined)?.getVideoTracks()[0];
      if (track?.readyState === 'live') watch.blankSince = undefined;
      else watch.blankSince ??= now;
      watch.blank = Math.max(watch.blank, now - (watch.blankSince ?? now));
      if (!video || !track || count === 0) return;
      if (video !== element) generation += 1;
      element = video;
      const frame = `${generation} ${track.id} ${count}`;
      if (frame === seen) return;
      watch.tracks.add(track.id);
      // The first look finds a frame of an unknown age.
      if (seen !== undefined) watch.longest = Math.max(watch.longest, now - watch.last);
      seen = frame;
      watch.last = now;
      watch.frames += 1;
    };
    const watch: Watch & { timer: number } = {
      longest: 0,
      last: performance.now(),
      frames: 0,
      tracks: new Set<string>(),
      blank: 0,
      blankSince: undefined,
      timer: window.setInterval(look, 10),
    };
    scope.gaps.set(who, watch);
  }, name);
}

/** The longest gap so far, ms, the one that lasts now included; how many frames were seen, and of how many tracks; and the longest time without a track. */
export async function gapOf(
  page: Page,
  name: string,
): Promise<{ gapMs: number; frames: number; tracks: number; blankMs: number }> {
  return page.evaluate((who) => {
    const watch = (window as unknown as { gaps?: Map<string, Watch> }).gaps?.get(who);
    if (!watch) return { gapMs: Number.POSITIVE_INFINITY, frames: 0, tracks: 0, blankMs: Number.POSITIVE_INFINITY };
    const { longest, last, frames, tracks, blank } = watch;
    const gapMs = Math.round(Math.max(longest, performance.now() - last));
    return { gapMs, frames, tracks: tracks.size, blankMs: Math.round(blank) };
  }, name);
}
