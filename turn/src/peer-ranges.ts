/**
 * Addresses that nothing is relayed to, unless the cluster's media is there: all that is not public. A TURN server that relays inwards
 * is a door into the network that it stands in. Sources: IANA's registries of special-purpose addresses (RFC 6890), and those IPv6
 * ranges that carry IPv4 addresses (RFC 4291, 3056, 4380, 6052), which would be ways around the list of IPv4.
 */
import { BlockList, isIPv6 } from 'node:net';

type Range = readonly [from: string, to: string];

export const DENIED: readonly Range[] = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  // 169.254.169.254 is where clouds answer with their hosts' keys.
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  // Multicast, reserved, broadcast.
  ['224.0.0.0', '255.255.255.255'],
  // Unspecified, loopback, IPv4-compatible and IPv4-mapped.
  ['::', '::ffff:ffff:ffff'],
  ['64:ff9b::', '64:ff9b:1:ffff:ffff:ffff:ffff:ffff'],
  ['100::', '100::ffff:ffff:ffff:ffff'],
  // Teredo, benchmarking, ORCHID: none of 2001::/23 is a host to call.
  ['2001::', '2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['2002::', '2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  // Unique local, where one cloud has its metadata (fd00:ec2::254); link-local, site-local, multicast.
  ['fc00::', 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ['fe80::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
];

/** For a server that relays to the cluster alone. */
export const EVERYTHING: readonly Range[] = [
  ['0.0.0.0', '255.255.255.255'],
  ['::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
];

const lists = new BlockList();
for (const [from, to] of DENIED) lists.addRange(from, to, isIPv6(from) ? 'ipv6' : 'ipv4');

/** Whether everybody may be relayed there. */
export function publicRange(address: string): boolean {
  return !lists.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
