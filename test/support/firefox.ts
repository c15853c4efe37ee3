/** Debian's Firefox, driven over WebDriver BiDi: playwright wants a build of its own. */
import { launch, type Browser } from 'puppeteer-core';
import { pathOf } from '@veilcast/testkit/browser';

/** A made-up camera and microphone that nobody is asked for, and sound without a click. */
const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
};

/** A new browser process. @throws Error when none is installed */
export async function openFirefox(): Promise<Browser> {
  return launch({
    browser: 'firefox',
    executablePath: await pathOf(['firefox-esr', 'firefox']),
    headless: true,
    // A cluster with `--lan` makes its certificate itself.
    acceptInsecureCerts: true,
    extraPrefsFirefox: PREFERENCES,
  });
}
