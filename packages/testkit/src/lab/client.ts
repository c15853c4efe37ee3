/** A client of a lab: a host behind a gateway whose kind can be changed while programs run behind it. */
import { INSIDE, NEXT_HOP_V6, type Prefix } from './addresses.ts';
import { NamespaceHost, type Host } from './host.ts';
import { inside, ip, run, setIn } from './namespaces.ts';
import { GATEWAYS, type Gateway, type Network } from './networks.ts';

/** Somebody behind a gateway, whose network can be another one at any time. */
export interface Client extends Host {
  readonly network: Network;
  /** New addresses, new rules; what was open before is cut off. */
  become(network: Network): Promise<void>;
  /**
   * Other rules alone, as when somebody opens a firewall: addresses stay, what is open stays open, and nobody is told.
   * @throws RangeError when a client there has another kind of address
   */
  filterAs(network: Network): Promise<void>;
}

/** What is known of a client's place. */
interface Behind {
  readonly address: Prefix;
  readonly gateway: string;
  readonly behind: Prefix;
}

export class GatewayClient extends NamespaceHost implements Client {
  readonly #gateway: string;
  readonly #behind: Prefix;
  #network: Network = 'open';

  constructor(name: string, namespace: string, { address, gateway, behind }: Behind) {
    super(name, namespace, address);
    this.#gateway = gateway;
    this.#behind = behind;
  }

  get network(): Network {
    return this.#network;
  }

  /** All that its packets may be from on the lab's internet. */
  addresses(family: keyof Prefix): string {
    return `${this.address[family]},${this.#behind[family]}`;
  }

  async become(network: Network): Promise<void> {
    const { client } = GATEWAYS[network];
    await this.#rule(network);
    await ip(['addr flush dev eth0 scope global', ...this.#addressLines(client)], this.namespace);
  }

  async filterAs(network: Network): Promise<void> {
    const [before, after] = [GATEWAYS[this.#network].client, GATEWAYS[network].client];
    if (before !== after) throw new RangeError(`${this.#network} and ${network} give other addresses`);
    await this.#rule(network);
  }

  async #rule(network: Network): Promise<void> {
    const { rules, settings } = GATEWAYS[network];
    await run(...inside(this.#gateway, ['iptables-legacy-restore', '-w']), rules);
    await setIn(this.#gateway, settings);
    this.#network = network;
  }

  #addressLines(client: Gateway['client']): string[] {
    switch (client) {
      case 'ipv6':
        return [`addr add ${this.#behind.v6}/128 dev eth0`, `route replace ::/0 via ${NEXT_HOP_V6} dev eth0`];
      case 'public':
        return [
          `addr add ${this.#behind.v4}/32 dev eth0`,
          `route replace default via ${INSIDE.home.gateway} dev eth0 onlink`,
        ];
      default:
        return [
          `addr add ${INSIDE[client].host}/24 dev eth0`,
          `route replace default via ${INSIDE[client].gateway} dev eth0`,
        ];
    }
  }
}
