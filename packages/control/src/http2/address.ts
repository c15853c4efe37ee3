/** Addresses in the words of this carrier: `host:port`, `[::1]:port`. */
import { ClusterError } from '@veilcast/protocol';

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)):([1-9]\d{0,4})$/;

/** @throws ClusterError MALFORMED, without the address in its words */
export function hostPortOf(address: string): HostPort {
  const [, v6, name, digits] = ADDRESS.exec(address) ?? [];
  const host = v6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535) throw new ClusterError('MALFORMED', 'an address is host:port');
  return { host, port };
}
