/** Real Chromium with a film for a camera, and what a test reads off its call page. */
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { BAND, COLUMNS, readCode, type Film } from './film.ts';

export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  // Several pages are in use at once and none is in front.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];

/** The browser that `./veilcast test` installed. */
export async function chromiumPath(): Promise<string> {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      if (
        await access(path).then(
          () => true,
          () => false,
        )
      )
        return path;
    }
  }
  throw new Error(`no browser: none of ${names.join(', ')} is on PATH; ./veilcast test installs one`);
}

/** A browser process whose camera and microphone are the film, or Chromium's own test picture without one. */
export async function openBrowser(film?: Film): Promise<Browser> {
  const files = film
    ? [`--use-file-for-fake-video-capture=${film.video}`, `--use-file-for-fake-audio-capture=${film.audio}`]
    : [];
  return chromium.launch({ executablePath: await chromiumPath(), args: [...FLAGS, ...files] });
}

export interface JoinOptions {
  readonly room: string;
  readonly name: string;
  readonly region?: string;
  readonly role?: string;
  readonly token?: string;
}

/** Opens the call page and joins without a click. Errors on the page end the test with their text. */
export async function joinCall(browser: Browser, origin: string, options: JoinOptions): Promise<Page> {
  const context = await browser.newContext({
    permissions: ['camera', 'microphone'],
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 800 },
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`page of ${options.name}: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(`console of ${options.name}: ${message.text()}`);
  });
  const query = new URLSearchParams({ name: options.name, join: '1' });
  if (options.region) query.set('region', options.region);
  if (options.role) query.set('role', options.role);
  if (options.token) query.set('token', options.token);
  await page.goto(`${origin}/r/${options.room}?${query}`);
  return page;
}

/** The parts of DESIGN §11's report that tests look at. */
export interface Report {
  room: string;
  self: {
    peerId: string;
    name: string;
    role: string;
    region: string;
    node: string;
    transport: string;
    joinMs: number | null;
  };
  peers: {
    peerId: string;
    name: string;
    role: string;
    video: {
      framesDecoded: number;
      width: number;
      height: number;
      fps: number;
      codec: string;
      layer: string;
      frozenMs: number;
    };
    audio: { packetsReceived: number; concealedMs: number };
    path: string[];
  }[];
  e2ee: {
    state: string;
    suite: string;
    epoch: number;
    members: number;
    code: string;
    framesSealed: number;
    framesOpened: number;
    failures: Record<string, number>;
  };
}

export function reportOf(page: Page): Promise<Report> {
  return page.evaluate(() => (window as unknown as { veilcast: { report(): Promise<Report> } }).veilcast.report());
}

/** Asks until the answer pleases, and says what it was last when it never does. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  pleases: (answer: T) => boolean,
  ms = 20_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (pleases(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What the tile of a person shows: whose film, which frame, and when it was looked at (ms since the epoch). */
export async function seenOn(
  page: Page,
  name: string,
): Promise<{ actor: number; frame: number; at: number } | undefined> {
  const sample = await page.evaluate(
    ({ selector, columns, band }) => {
      const video = document.querySelector<HTMLVideoElement>(`${selector} video`);
      if (!video || video.videoWidth === 0) return undefined;
      const canvas = document.createElement('canvas');
      canvas.width = columns;
      canvas.height = 1;
      const context = canvas.getContext('2d', { willReadFrequently: true });
      if (!context) return undefined;
      const at = performance.timeOrigin + performance.now();
      const { videoWidth, videoHeight } = video;
      for (let column = 0; column < columns; column++) {
        // The middle of the column, away from the edges that coding blurs.
        const x = ((column + 0.3) * videoWidth) / columns;
        context.drawImage(
          video,
          x,
          videoHeight / band / 4,
          (0.4 * videoWidth) / columns,
          videoHeight / band / 2,
          column,
          0,
          1,
          1,
        );
      }
      const { data } = context.getImageData(0, 0, columns, 1);
      return { at, luminances: Array.from({ length: columns }, (_, column) => data[column * 4 + 1] ?? 0) };
    },
    { selector: `[data-testid="tile"][data-name="${name}"]`, columns: COLUMNS, band: BAND },
  );
  const code = sample && readCode(sample.luminances);
  return code && { ...code, at: sample.at };
}
