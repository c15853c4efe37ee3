/**
 * Who sits at which place, so that people keep theirs when others come and go: a place left empty is taken by a
 * newcomer, or else by whoever sits last. Everybody else stays.
 */

/** `before` in order of place, `present` in order of coming. Returns the new order. */
export function keepPlaces(before: readonly string[], present: readonly string[]): string[] {
  const here = new Set(present);
  const known = new Set(before);
  const places: (string | undefined)[] = before.map((id) => (here.has(id) ? id : undefined));
  for (const id of here) {
    if (known.has(id)) continue;
    const empty = places.indexOf(undefined);
    if (empty === -1) places.push(id);
    else places[empty] = id;
  }
  return closeGaps(places);
}

function closeGaps(places: (string | undefined)[]): string[] {
  const closed = [...places];
  for (let place = 0; place < closed.length; place++) {
    while (closed.length > place && closed.at(-1) === undefined) closed.pop();
    if (place < closed.length && closed[place] === undefined) closed[place] = closed.pop();
  }
  return closed.filter((id) => id !== undefined);
}
