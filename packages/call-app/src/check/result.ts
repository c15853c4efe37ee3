/** What a check found, row by row, and how it is handed on: as text to read and as JSON. Pure; no name and no address is in it. */

/** In the order in which they stand on the page. */
export const ROWS = [
  'camera',
  'microphone',
  'speaker',
  'encryption',
  'postQuantum',
  'codecs',
  'regions',
  'signaling',
  'udp',
  'tcp',
  'turnUdp',
  'turnTcp',
  'turnTls',
  'bandwidth',
] as const;
export type RowName = (typeof ROWS)[number];

/** none: there is nothing to check. */
export type Outcome = 'waiting' | 'running' | 'good' | 'warn' | 'failed' | 'none';

export interface Row {
  readonly outcome: Outcome;
  /** What happened, or what is being done. */
  readonly what: string;
  /** The one thing to do about it. */
  readonly next?: string;
  /** Figures with their unit in their name, for those who read the JSON. */
  readonly figures?: Readonly<Record<string, number | string | boolean | readonly string[]>>;
}

export type Rows = Readonly<Record<RowName, Row>>;

/** Only where the person wants it in. */
export interface Place {
  readonly browser: string;
  readonly site: string;
}

export const NOTHING_YET: Rows = Object.fromEntries(
  ROWS.map((name) => [name, { outcome: 'waiting', what: '' }]),
) as unknown as Rows;

const MARKS: Readonly<Record<Outcome, string>> = {
  waiting: '[  ]',
  running: '[..]',
  good: '[ok]',
  warn: '[ !]',
  failed: '[no]',
  none: '[ -]',
};

export function textOf(rows: Rows, titles: Readonly<Record<RowName, string>>, place?: Place): string {
  const lines = ROWS.map((name) => {
    const { outcome, what, next } = rows[name];
    return `${MARKS[outcome]} ${titles[name]}: ${[what, next].filter((one) => one !== undefined && one !== '').join(' ')}`;
  });
  const head = place ? [`Veilcast check of ${place.site}`, place.browser] : ['Veilcast check'];
  return [...head, '', ...lines].join('\n');
}

export function jsonOf(rows: Rows, place?: Place): string {
  const results = Object.fromEntries(
    ROWS.map((name) => [name, { outcome: rows[name].outcome, ...rows[name].figures }]),
  );
  return JSON.stringify({ veilcast: 'check', version: 1, ...(place && { place }), results }, undefined, 2);
}
