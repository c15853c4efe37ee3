/**
 * Who a process is, as its certificate says it: one URI among the subject's alternative names (RFC 5280, 4.2.1.6),
 * `veilcast://<cluster>/<kind>/<region>/<id>` (ADR 0023).
 */
import { RegionId } from '@veilcast/protocol';
import { z } from 'zod';
import { ProcessKind } from './registry.ts';

/** Letters that need no escaping in a URI, and no slash: a part must not be taken for two. */
const ClusterName = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, 'lower-case letters, digits and -');
const ProcessName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'letters, digits, _, . and -, at most 64');

export const Identity = z.strictObject({
  cluster: ClusterName,
  kind: ProcessKind,
  region: RegionId,
  processId: ProcessName,
});
export type Identity = z.infer<typeof Identity>;

export function identityUri({ cluster, kind, region, processId }: Identity): string {
  return `veilcast://${cluster}/${kind}/${region}/${processId}`;
}

/** Undefined: it is not the name of a process. Exactly what `identityUri` writes is read. */
export function identityOf(uri: string): Identity | undefined {
  const [, cluster, kind, region, processId, more] =
    /^veilcast:\/\/([^/]*)\/([^/]*)\/([^/]*)\/([^/]*)(\/.*)?$/.exec(uri) ?? [];
  if (more !== undefined) return undefined;
  return Identity.safeParse({ cluster, kind, region, processId }).data;
}
