/** Where one is on the page, as a link that can be shared: `#/rooms?q=de&sort=-peers`, `#/rooms/demo`, `#/map?room=demo`. Pure. */
export const PLACES = ['overview', 'map', 'rooms', 'nodes'] as const;
export type PlaceName = (typeof PLACES)[number];

export interface Route {
  readonly place: PlaceName;
  /** One room or node of the place. */
  readonly id?: string;
  /** The filter of a table. */
  readonly q?: string;
  /** Column, with `-` before it for descending. */
  readonly sort?: string;
  /** The room whose tree the map shows. */
  readonly room?: string;
}

/** Never throws; what makes no sense is the overview. */
export function readRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [name = '', ...rest] = path.split('/');
  const place = PLACES.find((known) => known === name) ?? 'overview';
  const given = new URLSearchParams(query);
  const id = decode(rest.join('/'));
  return {
    place,
    ...(id === '' ? {} : { id }),
    ...optional('q', given.get('q')),
    ...optional('sort', given.get('sort')),
    ...optional('room', given.get('room')),
  };
}

function optional<K extends string>(key: K, value: string | null): { [P in K]?: string } {
  return (value === null || value === '' ? {} : { [key]: value }) as { [P in K]?: string };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function linkTo({ place, id, q, sort, room }: Route): string {
  const query = new URLSearchParams({
    ...optional('q', q ?? null),
    ...optional('sort', sort ?? null),
    ...optional('room', room ?? null),
  }).toString();
  const path = id === undefined || id === '' ? place : `${place}/${encodeURIComponent(id)}`;
  return `#/${path}${query === '' ? '' : `?${query}`}`;
}
