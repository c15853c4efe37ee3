/**
 * The networks that people call from, as rules for the gateway between a client and the lab's internet. Pure.
 *
 * NATs by how they filter and map (RFC 4787; the names are those of RFC 3489): Linux's own masquerading keeps the port and lets in only who
 * was sent to, which is the port-restricted kind; the others are made of it.
 */
import { INSIDE } from './addresses.ts';

export const NETWORKS = [
  /** A public address, nothing in between. */
  'open',
  'full-cone',
  'address-restricted',
  'port-restricted',
  /** Another port for each destination. */
  'symmetric',
  /** Symmetric, of a mobile carrier: what is silent for 30 s is forgotten. */
  'carrier',
  /** Any TCP, no UDP. */
  'no-udp',
  /** Nothing but TCP to port 443. */
  'tcp-443',
  /** The same, and a connection there that does not begin with TLS is reset. */
  'tls-443',
  /** A public IPv6 address and no other. */
  'ipv6-only',
] as const;
export type Network = (typeof NETWORKS)[number];

/** Interfaces of a gateway. */
export const WAN = 'wan';
export const LAN = 'lan';

export interface Gateway {
  /** Which address the client has. */
  readonly client: 'public' | 'home' | 'carrier' | 'ipv6';
  /** For iptables-restore. */
  readonly rules: string;
  /** Of the gateway, besides those of every gateway. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Seconds until a UDP mapping is forgotten. RFC 4787 asks for 120; carriers have been seen with 30. */
const MAPPING_S = 120;
const CARRIER_S = 30;

const MASQUERADE = `-A POSTROUTING -o ${WAN} -j MASQUERADE`;
/** A port that nobody used, other than the last one. */
const NEW_PORT = `-A POSTROUTING -o ${WAN} -p udp -j MASQUERADE --random-fully`;
const ESTABLISHED = '-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT';

/** Whatever comes in by UDP is for the only client. */
const toClient = (address: string): string => `-A PREROUTING -i ${WAN} -p udp -j DNAT --to-destination ${address}`;

/**
 * What knocks before it was asked for is dropped here; left alone it would take the port, and the client's own packets would be
 * mapped to another: no home router does that.
 */
const CLOSED = `-A INPUT -i ${WAN} -p udp -j DROP`;

/** In from whom something was sent to, whatever the port. */
const ONLY_KNOWN_ADDRESSES = [
  `-A FORWARD -i ${LAN} -p udp -m recent --name sent --rdest --set -j ACCEPT`,
  `-A FORWARD -i ${WAN} -p udp -m recent --name sent --rsource --rcheck -j ACCEPT`,
  `-A FORWARD -i ${WAN} -p udp -j DROP`,
];

const ONLY_443 = [`-A FORWARD -i ${WAN} ${ESTABLISHED}`, `-A FORWARD -i ${LAN} -p tcp --dport 443 -j ACCEPT`];

/** The payload of a TCP segment begins with a TLS handshake record: the length of the IP header, then that of TCP's, then a byte. */
const BEGINS_WITH_TLS = '-m u32 --u32 "0>>22&0x3C@12>>26&0x3C@0>>24=0x16"';
const SEEN_TLS = '-m connmark --mark 1';
const ONLY_TLS = [
  `-A FORWARD -i ${WAN} ${ESTABLISHED}`,
  `-A FORWARD -i ${LAN} -p tcp --dport 443 ${SEEN_TLS} -j ACCEPT`,
  `-A FORWARD -i ${LAN} -p tcp --dport 443 ${BEGINS_WITH_TLS} -j CONNMARK --set-mark 1`,
  `-A FORWARD -i ${LAN} -p tcp --dport 443 ${SEEN_TLS} -j ACCEPT`,
  `-A FORWARD -i ${LAN} -p tcp --dport 443 --tcp-flags PSH PSH -j REJECT --reject-with tcp-reset`,
  `-A FORWARD -i ${LAN} -p tcp --dport 443 -j ACCEPT`,
];

/** For iptables-restore, which replaces all that was there. */
function rulesOf(
  nat: readonly string[],
  filter: readonly string[] = [],
  forward: 'ACCEPT' | 'DROP' = 'ACCEPT',
): string {
  return ['*nat', ...nat, 'COMMIT', '*filter', `:FORWARD ${forward} [0:0]`, ...filter, 'COMMIT', ''].join('\n');
}

function nat(rules: string, client: Gateway['client'] = 'home', mappingS = MAPPING_S): Gateway {
  const timeouts = ['nf_conntrack_udp_timeout', 'nf_conntrack_udp_timeout_stream'];
  return {
    client,
    rules,
    settings: Object.fromEntries(timeouts.map((name) => [`net.netfilter.${name}`, `${mappingS}`])),
  };
}

const inside = INSIDE.home.host;

export const GATEWAYS: Readonly<Record<Network, Gateway>> = {
  open: { client: 'public', rules: rulesOf([]), settings: {} },
  'full-cone': nat(rulesOf([MASQUERADE, toClient(inside)])),
  'address-restricted': nat(rulesOf([MASQUERADE, toClient(inside)], ONLY_KNOWN_ADDRESSES)),
  'port-restricted': nat(rulesOf([MASQUERADE], [CLOSED])),
  symmetric: nat(rulesOf([NEW_PORT, MASQUERADE], [CLOSED])),
  carrier: nat(rulesOf([NEW_PORT, MASQUERADE], [CLOSED]), 'carrier', CARRIER_S),
  'no-udp': nat(rulesOf([MASQUERADE], ['-A FORWARD -p udp -j DROP'])),
  'tcp-443': nat(rulesOf([MASQUERADE], ONLY_443, 'DROP')),
  'tls-443': nat(rulesOf([MASQUERADE], ONLY_TLS, 'DROP')),
  'ipv6-only': { client: 'ipv6', rules: rulesOf([]), settings: {} },
};
