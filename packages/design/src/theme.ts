/**
 * The theme a person chose over their system's. Kept in localStorage, shown by `data-theme` on the root element; the
 * tokens do the rest.
 */
export type Theme = 'system' | 'light' | 'dark';

const STORED = 'veilcast.theme';

function isTheme(value: string | null): value is Theme {
  return value === 'system' || value === 'light' || value === 'dark';
}

/** What was chosen before, or the system's. Storage may be refused; then nothing is remembered. */
export function storedTheme(): Theme {
  try {
    const value = localStorage.getItem(STORED);
    return isTheme(value) ? value : 'system';
  } catch {
    return 'system';
  }
}

/** Shows the theme at once and keeps it for the next visit. */
export function applyTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    localStorage.setItem(STORED, theme);
  } catch {
    // A browser that keeps nothing still shows the theme for this visit.
  }
}
