/** Which hosts there are and what runs on each: the one file that an operator writes (infra/three-hosts.toml is an example). */
import { ProcessKind } from '@veilcast/control';
import { RegionId } from '@veilcast/protocol';
import { parse } from 'smol-toml';
import { z } from 'zod';

const HOSTS_MAX = 256;
const name = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'expected lower-case letters, digits and -');
const address = z.union([z.ipv4(), z.ipv6()]);
const path = z.string().min(1).max(1024);

const Host = z.strictObject({
  name,
  region: RegionId,
  address: address.describe(
    'What the other hosts reach it by. Control, the store and pipes stay between these addresses.',
  ),
  announced: z.string().min(1).max(253).optional().describe('What browsers send media to, if not `address`.'),
  ipv6: z.ipv6().optional().describe('Another address for browsers, for those that have IPv6 alone.'),
  origin: z
    .url({ protocol: /^https?$/ })
    .max(256)
    .optional()
    .describe('Where browsers reach the signaling of this host, for measuring the round trip to its region.'),
  runs: z
    .array(z.enum(['store', ...ProcessKind.options]))
    .min(1)
    .max(8),
  workers: z.number().int().min(1).max(256).default(1).describe('mediasoup workers: one a core.'),
});
export type Host = z.output<typeof Host>;

export const Inventory = z
  .strictObject({
    cluster: name.default('veilcast'),
    folder: path.default('/etc/veilcast').describe('Where each host has its files.'),
    image: z.string().min(1).max(256).default('veilcast').describe('Of the containers.'),
    web: z
      .strictObject({
        port: z.number().int().min(1).max(65_535).default(7800),
        certFile: path.optional().describe('For HTTPS by signaling itself. Without it a proxy in front is expected.'),
        keyFile: path.optional(),
        proxyHops: z.number().int().min(0).max(8).default(1).describe('Trusted proxies in front.'),
        origins: z.array(z.string().max(256)).max(64).default([]),
      })
      .prefault({}),
    turn: z
      .strictObject({ certFile: path, keyFile: path })
      .optional()
      .describe('For TURN by TLS, on each host that runs turn: where its own certificate is, for its name or address.'),
    hosts: z.array(Host).min(1).max(HOSTS_MAX),
  })
  .superRefine(({ hosts }, context) => {
    const refuse = (message: string): void => context.addIssue({ code: 'custom', path: ['hosts'], message });
    for (const key of ['name', 'address'] as const)
      if (new Set(hosts.map((host) => host[key])).size < hosts.length) refuse(`two hosts have one ${key}`);
    for (const kind of ProcessKind.exclude(['turn']).options)
      if (!hosts.some(({ runs }) => runs.includes(kind))) refuse(`no host runs ${kind}`);
    const stores = hosts.filter(({ runs }) => runs.includes('store')).length;
    if (stores !== 1 && (stores < 3 || stores % 2 === 0))
      refuse(`${stores} hosts run the store: one, or three or more and an odd number, so that sentinels can agree`);
  });
export type Inventory = z.output<typeof Inventory>;

/** @throws ZodError, or an error of TOML that names the line */
export function parseInventory(text: string): Inventory {
  return Inventory.parse(parse(text));
}
