/** Signaling behind an HTTP server of its own, which has the pages. */
import type { Service, ServiceContext } from '@veilcast/node-kit';
import { ClusterError } from '@veilcast/protocol';
import { readFile } from 'node:fs/promises';
import { channelIdentity } from './channel-identity.ts';
import { SignalingConfig, type SignalingConfigInput } from './config.ts';
import { startSignaling, type Signaling } from './signaling.ts';
import type { WebConfig } from './web-config.ts';
import { openWeb } from './web.ts';

/** @throws ClusterError OVERLOADED where the port is taken, INTERNAL where the pages are not built */
export async function startWithPages(
  context: ServiceContext,
  config: SignalingConfigInput,
  { host, port, certFile, keyFile, probes, connect }: WebConfig,
): Promise<Service> {
  const tls =
    certFile === undefined || keyFile === undefined
      ? undefined
      : { cert: await readFile(certFile, 'utf8'), key: await readFile(keyFile, 'utf8') };
  let signaling: Signaling | undefined;
  const ready = (): boolean => signaling?.ready() ?? false;
  const identity = await channelIdentity(SignalingConfig.parse(config), context.clock);
  const { pin } = identity;
  const web = await openWeb({ metrics: context.metrics, pin, regions: probes, ready, tls, connect });
  const close = async (): Promise<void> => {
    await web.close();
    await signaling?.close();
  };
  try {
    signaling = await startSignaling({ context, server: web.server, identity, config });
    await web.register(signaling.routes);
    await web.listen({ host, port }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EADDRINUSE') throw new ClusterError('OVERLOADED', `Port ${port} is taken.`, { cause });
      throw cause;
    });
  } catch (thrown) {
    await close();
    throw thrown;
  }
  return { ready, close };
}
