/** The page's words through i18next: one catalogue now, more languages beside it later. */
import i18next, { init, t as translate } from 'i18next';
import type { ErrorCode } from '@veilcast/protocol';
import type { ErrorWords } from './en-errors.ts';
import { en } from './en.ts';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof en };
  }
}

void init({
  lng: 'en',
  fallbackLng: 'en',
  initAsync: false,
  resources: { en: { translation: en } },
  // React escapes; twice escaped names would show.
  interpolation: { escapeValue: false },
});

export const t = translate;

/** Made with the page: the first one costs tens of milliseconds, which nobody has while joining. */
const conjunction = new Intl.ListFormat(i18next.language, { type: 'conjunction' });

/** Names in a sentence, shortened after three. */
export function listOf(names: readonly string[]): string {
  const shown = names.length > 3 ? [...names.slice(0, 2), t('stage.more', { count: names.length - 2 })] : names;
  return conjunction.format(shown);
}

/** What happened, and what goes on by itself. */
export function errorWords(code: ErrorCode): ErrorWords {
  const tell = t as unknown as (key: string) => string;
  return { what: tell(`errors.${code}.what`), next: tell(`errors.${code}.next`) };
}
