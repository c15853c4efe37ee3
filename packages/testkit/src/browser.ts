/** The Chromium that tests and benches drive: Debian's, found on PATH, with a camera and microphone of its own. */
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

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

/** A new browser process; `program` starts it, if it is not simply the one on PATH. @throws Error when none is installed */
export async function launchBrowser(flags: readonly string[] = [], program?: string): Promise<Browser> {
  return chromium.launch({ executablePath: program ?? (await chromiumPath()), args: [...FLAGS, ...flags] });
}

/** The browser that `./veilcast test` installed. @throws Error when there is none */
export function chromiumPath(): Promise<string> {
  return pathOf(NAMES);
}

/** The first on PATH of what goes by one of these names. @throws Error when there is none */
export async function pathOf(names: readonly string[]): Promise<string> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      const found = await access(path).then(
        () => true,
        () => false,
      );
      if (found) return path;
    }
  }
  throw new Error(`no browser: none of ${names.join(', ')} is on PATH; ./veilcast test installs one`);
}
