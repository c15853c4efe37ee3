/**
 * An internet on one machine: regions with hosts, clients behind gateways of every kind, and paths between them that can be made
 * slow, lossy, narrow or cut while they are used. All of it in network namespaces of this process.
 *
 *     host ── core ── gateway ── client        core: a router; what passes it can be impaired
 *
 * Nothing of it reaches the machine's own network, and nothing from there reaches in.
 */
import { behindAddress, hostAddress, INSIDE, NEXT_HOP, NEXT_HOP_V6, regionPrefix, type Prefix } from './addresses.ts';
import { GatewayClient, type Client } from './client.ts';
import { NamespaceHost, type Host } from './host.ts';
import { Impairer, type Counted, type Impairment } from './impairer.ts';
import { closeNamespaces, inside, ip, openNamespace, run, sweepNamespaces } from './namespaces.ts';
import { LAN, WAN, type Network } from './networks.ts';
import { missingForLab } from './requirements.ts';

const FORWARDING = {
  'net.ipv4.ip_forward': '1',
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv4.conf.all.rp_filter': '0',
  'net.ipv4.conf.default.rp_filter': '0',
};

export interface Region {
  readonly name: string;
  readonly prefix: Prefix;
  readonly number: number;
}

/** One direction of a path. */
export interface Link {
  set(impairment: Impairment): Promise<void>;
  count(): Promise<Counted>;
}

/** An end of a path: a region with all that is in it, one host, or everybody. */
export type End = Region | Host | 'all';

export interface Lab {
  region(name: string): Region;
  /** A host with public addresses, in a region (the first one if not given). */
  host(name: string, region?: Region): Promise<Host>;
  /** A client behind a gateway of its own. */
  client(name: string, network: Network, region?: Region): Promise<Client>;
  /**
   * The way from one end to the other; the same object for the same ends. A packet passes at most one link of each of three kinds,
   * one after the other: from its host to all, between two ends, from all to its host. Of several between two ends it is the newest.
   */
  link(from: End, to: End): Promise<Link>;
  /** Both ways at once. */
  impair(one: End, other: End, impairment: Impairment): Promise<void>;
  close(): Promise<void>;
}

/** @throws Error when the machine cannot have one: see `missingForLab` */
export async function openLab(): Promise<Lab> {
  const missing = missingForLab();
  if (missing !== undefined) throw new Error(missing);
  sweepNamespaces();
  const core = await openNamespace('core', FORWARDING);
  try {
    return new NamespaceLab(core, await Impairer.start(core));
  } catch (error) {
    closeNamespaces([core]);
    throw error;
  }
}

class NamespaceLab implements Lab {
  readonly #core: string;
  readonly #impairer: Impairer;
  readonly #regions = new Map<string, Region>();
  readonly #hostsIn = new Map<Region, number>();
  readonly #hosts: NamespaceHost[] = [];
  readonly #namespaces: string[];
  readonly #links = new Map<string, Promise<Link>>();
  #ports = 0;

  constructor(core: string, impairer: Impairer) {
    this.#core = core;
    this.#impairer = impairer;
    this.#namespaces = [core];
  }

  region(name: string): Region {
    const known = this.#regions.get(name);
    if (known) return known;
    const number = this.#regions.size;
    const region = { name, number, prefix: regionPrefix(number) };
    this.#regions.set(name, region);
    return region;
  }

  async host(name: string, region = this.region('internet')): Promise<Host> {
    const address = hostAddress(region.number, this.#numberIn(region));
    const namespace = await this.#plug(name, 'eth0', address);
    return this.#keep(new NamespaceHost(name, namespace, address));
  }

  async client(name: string, network: Network, region = this.region('internet')): Promise<Client> {
    const number = this.#numberIn(region);
    const address = hostAddress(region.number, number);
    const behind = behindAddress(region.number, number);
    const gateway = await this.#plug(`${name}-gateway`, WAN, address, FORWARDING, behind);
    const namespace = await openNamespace(name);
    this.#namespaces.push(namespace);
    await ip([`link add ${LAN} netns ${gateway} type veth peer name eth0 netns ${namespace}`]);
    await ip(
      [
        `addr add ${INSIDE.home.gateway}/24 dev ${LAN}`,
        `addr add ${INSIDE.carrier.gateway}/24 dev ${LAN}`,
        `addr add ${NEXT_HOP_V6}/64 dev ${LAN}`,
        `link set ${LAN} up`,
        `route add ${behind.v4}/32 dev ${LAN}`,
        `route add ${behind.v6}/128 dev ${LAN}`,
      ],
      gateway,
    );
    await ip(['link set eth0 up'], namespace);
    const client = new GatewayClient(name, namespace, { address, gateway, behind });
    await client.become(network);
    return this.#keep(client);
  }

  link(from: End, to: End): Promise<Link> {
    const key = `${nameOf(from)} > ${nameOf(to)}`;
    const known = this.#links.get(key);
    if (known) return known;
    const made = this.#makeLink(from, to, this.#links.size);
    this.#links.set(key, made);
    return made;
  }

  async impair(one: End, other: End, impairment: Impairment): Promise<void> {
    const both = await Promise.all([this.link(one, other), this.link(other, one)]);
    await Promise.all(both.map((link) => link.set(impairment)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.close()));
    await this.#impairer.close();
    closeNamespaces(this.#namespaces);
  }

  async #makeLink(from: End, to: End, queue: number): Promise<Link> {
    const chain = to === 'all' ? 'PREROUTING' : from === 'all' ? 'POSTROUTING' : 'FORWARD';
    // Taken before anything is sent there: what nobody has taken is lost.
    await this.#impairer.set(queue, {});
    for (const [command, family] of [
      ['iptables-legacy', 'v4'],
      ['ip6tables-legacy', 'v6'],
    ] as const) {
      const match = [...matchOf('-s', from, family), ...matchOf('-d', to, family)];
      const rule = ['-w', '-t', 'mangle', '-I', chain, ...match, '-j', 'NFQUEUE', '--queue-num', `${queue}`];
      await run(...inside(this.#core, [command, ...rule]));
    }
    return {
      set: (impairment) => this.#impairer.set(queue, impairment),
      count: () => this.#impairer.count(queue),
    };
  }

  /** A namespace on a link of its own to the core. */
  async #plug(
    name: string,
    device: string,
    address: Prefix,
    settings: Readonly<Record<string, string>> = {},
    behind?: Prefix,
  ): Promise<string> {
    const namespace = await openNamespace(name, settings);
    this.#namespaces.push(namespace);
    this.#ports += 1;
    const port = `port${this.#ports}`;
    await ip([`link add ${port} netns ${this.#core} type veth peer name ${device} netns ${namespace}`]);
    await ip(
      [
        `addr add ${NEXT_HOP}/32 dev ${port}`,
        `addr add ${NEXT_HOP_V6}/64 dev ${port}`,
        `link set ${port} up`,
        `route add ${address.v4}/32 dev ${port}`,
        `route add ${address.v6}/128 dev ${port}`,
        ...(behind ? [`route add ${behind.v4}/32 via ${address.v4} dev ${port} onlink`] : []),
        ...(behind ? [`route add ${behind.v6}/128 via ${address.v6} dev ${port} onlink`] : []),
      ],
      this.#core,
    );
    await ip(
      [
        `addr add ${address.v4}/32 dev ${device}`,
        `addr add ${address.v6}/128 dev ${device}`,
        `link set ${device} up`,
        `route add ${NEXT_HOP}/32 dev ${device}`,
        `route add default via ${NEXT_HOP} dev ${device}`,
        `route add ::/0 via ${NEXT_HOP_V6} dev ${device}`,
      ],
      namespace,
    );
    return namespace;
  }

  #numberIn(region: Region): number {
    const number = this.#hostsIn.get(region) ?? 0;
    this.#hostsIn.set(region, number + 1);
    return number;
  }

  #keep<H extends NamespaceHost>(host: H): H {
    this.#hosts.push(host);
    return host;
  }
}

function nameOf(end: End): string {
  return end === 'all' ? 'all' : `${end.name} ${'prefix' in end ? end.prefix.v4 : end.address.v4}`;
}

/** Words for iptables. A client is matched by its gateway's address and by its own public one. */
function matchOf(flag: '-s' | '-d', end: End, family: 'v4' | 'v6'): string[] {
  if (end === 'all') return [];
  if ('prefix' in end) return [flag, end.prefix[family]];
  return [flag, end instanceof GatewayClient ? end.addresses(family) : end.address[family]];
}
