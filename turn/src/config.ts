/** What the keeper of a TURN server is told at its start. Anything unknown is refused. */
import { RegionId } from '@veilcast/protocol';
import { z } from 'zod';
import { publicRange } from './peer-ranges.ts';

const port = z.number().int().min(1).max(65_535);
const path = z
  .string()
  .max(4096)
  .regex(/^[^\p{Cc}]+$/u, { message: 'a path has no control characters' });
const ip = z.union([z.ipv4(), z.ipv6()]);
const count = z.number().int().min(1);

export const TurnConfig = z
  .strictObject({
    turnId: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/)
      .describe('Stable id of this server.'),
    region: RegionId.describe('Where it stands.'),
    /** In this order clients are told. */
    listen: z.array(ip).min(1).max(2).describe('Addresses of this host that clients reach, IPv4 and IPv6.'),
    announced: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('A name or address that clients are told instead; for TLS the name in the certificate.'),
    external: ip.optional().describe('The address that a NAT in front shows to peers; one `listen` address then.'),
    ports: z
      .strictObject({
        plain: port.default(3478).describe('STUN and TURN by UDP and TCP.'),
        tls: port.default(5349).describe('TURN by TLS, and by UDP and TCP as well.'),
        web: port
          .optional()
          .describe('The same once more, 443 in production: what networks let through that let nothing else.'),
        relayMin: port.default(49_152),
        relayMax: port.default(65_535).describe('UDP ports towards peers, one an allocation.'),
      })
      .refine(({ relayMin, relayMax }) => relayMin < relayMax, { message: 'relayMin is not below relayMax' })
      .prefault({}),
    tls: z
      .strictObject({ certFile: path, keyFile: path })
      .optional()
      .describe('PEM; read again when they change. Missing: no TLS, and networks that let only TLS through are shut.'),
    secretFile: path.describe('What signaling signs credentials with, a secret a line; all of them are valid.'),
    peers: z
      .strictObject({
        media: z
          .array(ip)
          .max(512)
          .default([])
          .describe('Addresses of the cluster’s media, whatever range they are in.'),
        public: z.boolean().default(true).describe('Any public address too, for calls of two without a server.'),
      })
      .prefault({})
      .describe('Where it relays to. Never to any other loopback, private, link-local or metadata address.'),
    quotas: z
      .strictObject({
        perPeer: count
          .max(1_000)
          .default(32)
          .describe(
            'Allocations of one Peer. A browser makes one a URL, network and transport, twice that in an ICE restart.',
          ),
        total: count.max(100_000).default(4_000).describe('Allocations of this server.'),
        bytesPerSecond: count.max(1_000_000_000).default(3_000_000).describe('Of one allocation, each way.'),
      })
      .prefault({}),
    drain: z
      .strictObject({
        deadlineMs: z
          .number()
          .int()
          .min(0)
          .max(24 * 3_600_000)
          .default(3_600_000)
          .describe('A drain ends by then, whoever is still relayed.'),
      })
      .prefault({}),
    threads: z.number().int().min(1).max(64).default(1).describe('Relay threads, one a core.'),
    program: path.default('turnserver').describe('coturn, by its path or by its name on PATH.'),
  })
  .superRefine(({ peers, external, listen }, context) => {
    if (external !== undefined && listen.length !== 1)
      context.addIssue({ code: 'custom', path: ['external'], message: 'wants exactly one address to listen on' });
    for (const [at, address] of peers.media.entries())
      if (!publicRange(address) && /^(0\.|::$|22[4-9]\.|23\d\.|ff)/i.test(address))
        context.addIssue({ code: 'custom', path: ['peers', 'media', at], message: 'no media comes from there' });
  });
export type TurnConfig = z.output<typeof TurnConfig>;
export type TurnConfigInput = z.input<typeof TurnConfig>;
