/**
 * How our names become keys. All keys of one Room, and all of one shard of the Directory, carry the same hash tag, so that a
 * script finds what it needs in one slot; shards spread over all masters of a Redis Cluster.
 */

/**
 * Shards of Leases. Each has a marker by which a store that has forgotten is known; all Leases of a Room are in one.
 * Fixed: processes that disagree about it own the same Room twice.
 */
export const LEASE_SHARDS = 256;
/** Shards of the Directory. Fewer: hot keys, longer scripts. More: more questions for a list. Fixed, like those of Leases. */
export const DIRECTORY_SHARDS = 16;

export interface Keys {
  /** Of a Lease `<family>/<room>`: the record, and the marker of its shard. */
  lease(key: string): readonly [record: string, marker: string];
  marker(shard: number): string;
  probe(shard: number): string;
  directory(shard: number): readonly [values: string, names: string, expiries: string, meta: string];
  /** Where changes of a shard are told. */
  changes(shard: number): string;
  topic(topic: string): string;
  journal(key: string): string;
}

export function keysOf(prefix: string): Keys {
  const marker = (shard: number): string => `${prefix}:l:{l${shard}}:since`;
  const ofDirectory = (shard: number): string => `${prefix}:d:{d${shard}}`;
  return {
    lease: (key) => {
      const shard = shardOf(key.slice(key.indexOf('/') + 1), LEASE_SHARDS);
      return [`${prefix}:l:{l${shard}}:${key}`, marker(shard)];
    },
    marker,
    probe: (shard) => `${prefix}:l:{l${shard}}:probe`,
    directory: (shard) => {
      const base = ofDirectory(shard);
      return [`${base}:values`, `${base}:names`, `${base}:expiries`, `${base}:meta`];
    },
    changes: (shard) => `${ofDirectory(shard)}:changes`,
    topic: (topic) => `${prefix}:b:${topic}`,
    journal: (key) => `${prefix}:j:{${key}}`,
  };
}

/** FNV-1a of the UTF-16 code units: all processes agree on it, and it spreads well enough. */
export function shardOf(name: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 0) % shards;
}
