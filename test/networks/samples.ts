/** What a viewer's browser says of the media that it gets, ten times a second, and what can be told from that. */
import type { BrowserContext, Page } from 'playwright-core';

/** Of all that came in so far, of one publisher. Counts are since the connection began. */
export interface Sample {
  /** ms on the page's clock. */
  readonly at: number;
  /** 48,000 a second. */
  readonly samples: number;
  /** Made up, where something was to be heard. */
  readonly concealed: number;
  readonly width: number;
  readonly frames: number;
  readonly packets: number;
  readonly lost: number;
  readonly bytes: number;
  readonly interFrame: number;
  readonly interFrameSquared: number;
}

const EVERY_MS = 100;
const SAMPLES_PER_MS = 48;
/** More of a stretch than this made up: nothing was there to be played. */
const BREAK_SHARE = 0.8;

/** After `keepConnections`. */
const SAMPLE = `(() => {
  const all = (window.veilcastSamples = []);
  const look = async () => {
    const open = (window.veilcastConnections ?? []).filter((one) => one.connectionState === 'connected');
    const reports = await Promise.all(open.map((one) => one.getStats()));
    const inbound = reports.flatMap((report) => [...report.values()]).filter(({ type }) => type === 'inbound-rtp');
    const audio = inbound.filter(({ kind }) => kind === 'audio').at(-1) ?? {};
    const video = inbound.filter(({ kind }) => kind === 'video').at(-1) ?? {};
    all.push({
      at: performance.now(),
      samples: audio.totalSamplesReceived ?? 0,
      concealed: (audio.concealedSamples ?? 0) - (audio.silentConcealedSamples ?? 0),
      width: video.frameWidth ?? 0,
      frames: video.framesDecoded ?? 0,
      packets: (video.packetsReceived ?? 0) + (audio.packetsReceived ?? 0),
      lost: (video.packetsLost ?? 0) + (audio.packetsLost ?? 0),
      bytes: (video.bytesReceived ?? 0) + (video.headerBytesReceived ?? 0) + (audio.bytesReceived ?? 0) + (audio.headerBytesReceived ?? 0),
      interFrame: video.totalInterFrameDelay ?? 0,
      interFrameSquared: video.totalSquaredInterFrameDelay ?? 0,
    });
  };
  setInterval(look, ${EVERY_MS});
})()`;

export async function keepSamples(context: BrowserContext): Promise<void> {
  await context.addInitScript(SAMPLE);
}

/** Those since an earlier moment on the page's clock. */
export async function samplesOf(page: Page, since = 0): Promise<Sample[]> {
  const all = await page.evaluate<Sample[]>('window.veilcastSamples');
  return all.filter(({ at }) => at >= since);
}

export function nowOn(page: Page): Promise<number> {
  return page.evaluate<number>('performance.now()');
}

/** The longest stretch in which there was next to nothing to hear but what was made up, ms of sound. */
export function longestBreakMs(samples: readonly Sample[]): number {
  let [longest, current] = [0, 0];
  for (const [at, { samples: count, concealed }] of samples.entries()) {
    const before = samples[at - 1];
    if (before === undefined || count <= before.samples) continue;
    const made = concealed - before.concealed;
    current = made / (count - before.samples) > BREAK_SHARE ? current + made : 0;
    longest = Math.max(longest, current);
  }
  return Math.round(longest / SAMPLES_PER_MS);
}

/** Share of packets that were lost for good. */
export function lostShare(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last.packets === first.packets) return Number.NaN;
  const lost = last.lost - first.lost;
  return lost / (last.packets - first.packets + lost);
}

/** Standard deviation of the time between two frames as they are shown, ms. */
export function frameJitterMs(samples: readonly Sample[]): number {
  const [first, last] = [samples[0], samples.at(-1)];
  const frames = (last?.frames ?? 0) - (first?.frames ?? 0);
  if (first === undefined || last === undefined || frames <= 0) return Number.NaN;
  const mean = (last.interFrame - first.interFrame) / frames;
  const variance = (last.interFrameSquared - first.interFrameSquared) / frames - mean ** 2;
  return Math.sqrt(Math.max(0, variance)) * 1_000;
}

/** ms from `since` until the picture was so wide; undefined when it never was. */
export function wideAfterMs(samples: readonly Sample[], since: number, width: number): number | undefined {
  const found = samples.find(({ at, width: now }) => at >= since && now >= width);
  return found && Math.round(found.at - since);
}

/** ms from `since` until the picture was narrower than that. */
export function narrowAfterMs(samples: readonly Sample[], since: number, width: number): number | undefined {
  const found = samples.find(({ at, width: now }) => at >= since && now > 0 && now < width);
  return found && Math.round(found.at - since);
}
