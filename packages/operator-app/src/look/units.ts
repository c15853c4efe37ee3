/** Numbers with their units, as people read them. Pure. */

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function count(value: number): string {
  return whole.format(value);
}

export function packets(perSecond: number): string {
  return perSecond >= 10_000 ? `${plain.format(perSecond / 1000)} k/s` : `${whole.format(perSecond)} /s`;
}

export function bits(perSecond: number): string {
  if (perSecond >= 1e9) return `${plain.format(perSecond / 1e9)} Gb/s`;
  if (perSecond >= 1e6) return `${plain.format(perSecond / 1e6)} Mb/s`;
  return `${whole.format(perSecond / 1e3)} kb/s`;
}

export function share(ratio: number): string {
  return `${whole.format(ratio * 100)} %`;
}

export function loss(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio > 0 && ratio < 0.1 ? 1 : 0)} %`;
}

export function delay(ms: number | null): string {
  if (ms === null) return '—';
  return ms < 10 ? `${plain.format(ms)} ms` : `${whole.format(ms)} ms`;
}

export function since(from: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - from) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48 ? `${hours} h ${Math.floor((seconds % 3600) / 60)} min` : `${Math.floor(hours / 24)} days`;
}

/** The ends of a long id, enough to tell it from its neighbours. */
export function short(id: string): string {
  return id.length <= 20 ? id : `${id.slice(0, 12)}…${id.slice(-6)}`;
}
