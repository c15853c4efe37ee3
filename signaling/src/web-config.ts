/** Where people's browsers reach a signaling process of its own. */
import { RegionId } from '@veilcast/protocol';
import { z } from 'zod';

const path = z.string().min(1).max(4096);

export const WebConfig = z.strictObject({
  host: z.string().min(1).max(253).default('127.0.0.1').describe('Address that is bound.'),
  port: z.number().int().min(0).max(65_535).default(7800).describe('0: any free one.'),
  certFile: path.optional().describe('For HTTPS, PEM. Without it plain HTTP, for a proxy in front or for loopback.'),
  keyFile: path.optional(),
  probes: z
    .array(RegionId)
    .max(64)
    .default([])
    .describe('Regions that are measured here, at /probe/<region>: where everything is on one machine.'),
  connect: z
    .array(z.url({ protocol: /^https?$/ }).max(256))
    .max(64)
    .default([])
    .describe('Origins besides ours that the pages may ask: where nodes answer their probes.'),
});
export type WebConfig = z.output<typeof WebConfig>;
