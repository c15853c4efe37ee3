/** What the page remembers between visits: the name, the chosen devices, and as which user it came. Nothing when the browser keeps nothing. */

type Remembered = 'name' | 'user' | 'hideAddress' | 'microphone' | 'camera' | 'speaker';

export function remember(key: Remembered, value: string): void {
  try {
    localStorage.setItem(`veilcast.${key}`, value);
  } catch {
    // Private windows may refuse; the visit goes on without.
  }
}

export function remembered(key: Remembered): string {
  try {
    return localStorage.getItem(`veilcast.${key}`) ?? '';
  } catch {
    return '';
  }
}
