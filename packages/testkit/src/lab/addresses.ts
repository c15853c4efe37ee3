/**
 * Which address is whose in a lab. Pure. Nothing of it leaves the lab's namespaces.
 *
 * On its internet a region is a /24 of 198.18.0.0/15 (RFC 2544, for benches) and a /48 of 2001:db8::/32 (RFC 3849); a host has one
 * address of each, and so has a NAT. Behind every NAT is the same home network, as in life.
 */

export interface Prefix {
  readonly v4: string;
  readonly v6: string;
}

/** Hosts of a region: 2 to 127; the upper half is for who is behind a gateway and has a public address all the same. */
const HOSTS_MAX = 126;
const REGIONS_MAX = 256;
const FIRST_HOST = 2;

/** What every host has as its next hop; the address of nobody. */
export const NEXT_HOP = '198.19.255.1';
/** The same for IPv6, on every link. */
export const NEXT_HOP_V6 = 'fe80::1';

export function regionPrefix(region: number): Prefix {
  if (region >= REGIONS_MAX) throw new RangeError(`a lab has ${REGIONS_MAX} regions at most`);
  return { v4: `198.18.${region}.0/24`, v6: `2001:db8:${region.toString(16)}::/48` };
}

/** Addresses without a length. */
export function hostAddress(region: number, host: number): Prefix {
  if (host >= HOSTS_MAX) throw new RangeError(`a region of a lab has ${HOSTS_MAX} hosts at most`);
  return {
    v4: `198.18.${region}.${FIRST_HOST + host}`,
    v6: `2001:db8:${region.toString(16)}::${(FIRST_HOST + host).toString(16)}`,
  };
}

/** The public addresses of who is behind the gateway that is this host. */
export function behindAddress(region: number, host: number): Prefix {
  return {
    v4: `198.18.${region}.${128 + host}`,
    v6: `2001:db8:${region.toString(16)}:1::${(FIRST_HOST + host).toString(16)}`,
  };
}

/** Networks behind a NAT: of a home, and of a mobile carrier (RFC 6598). */
export const INSIDE = {
  home: { gateway: '192.168.1.1', host: '192.168.1.2' },
  carrier: { gateway: '100.64.0.1', host: '100.64.0.2' },
} as const;
