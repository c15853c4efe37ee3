/**
 * A service as a process of its own: configuration, certificate, carrier, store, log, metrics and health around a service
 * library, and the end of all of it. Nothing of a service is known here.
 */
import { identityUri, type Identity } from '@veilcast/control';
import { credentialFiles, http2Carrier, type CredentialSource, type Http2Carrier } from '@veilcast/control/http2';
import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';
import { z } from 'zod';
import { ConfigError, loadConfig } from './config.ts';
import { runService } from './lifecycle.ts';
import { createLogger } from './log.ts';
import { createMetrics, openProbes } from './metrics.ts';
import type { Service, ServiceContext } from './service.ts';
import { openStore, StoreConfig } from './store.ts';
import { systemClock, systemRandom } from './system.ts';

const path = z.string().min(1).max(4096);

/** What every process is told, whatever its service. */
export const ProcessConfig = z.strictObject({
  control: z
    .strictObject({
      certFile: path.describe('Certificate of this process, PEM; `veilcast ca issue` makes one.'),
      keyFile: path.describe('Its private key, PEM.'),
      caFile: path.describe('The authorities whose certificates are believed, PEM.'),
      crlFile: path.optional().describe('Their lists of revoked certificates, PEM.'),
      bind: z
        .string()
        .max(256)
        .optional()
        .describe('host:port to listen on for control, if not the address that others dial.'),
    })
    .describe('The certificates are read again every 2 s.'),
  store: StoreConfig.prefault({}),
  probes: z
    .strictObject({
      host: z.string().min(1).max(253).default('127.0.0.1').describe('Where /healthz, /readyz and /metrics are.'),
      port: z.number().int().min(0).max(65_535).default(0).describe('0: any free one; it is in the log.'),
    })
    .prefault({}),
  log: z
    .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info') })
    .prefault({}),
});

type Common = z.infer<typeof ProcessConfig>;

export interface ProcessOptions<S extends z.ZodObject> {
  readonly kind: Identity['kind'];
  /** `ProcessConfig` and the sections of this service. */
  readonly schema: S;
  /** Who this is by the configuration; the certificate must say the same. */
  readonly who: (config: z.infer<S>) => { readonly processId: string; readonly region: string | undefined };
  readonly start: (context: ServiceContext, config: z.infer<S>) => Promise<Service>;
}

/** Runs until SIGTERM or SIGINT. What cannot start says why in one sentence, and ends with 1. */
export async function runProcess<S extends z.ZodObject>(options: ProcessOptions<S>): Promise<void> {
  const { argv, env } = process;
  try {
    const loaded = loadConfig(options.schema, { argv: argv.slice(2), env, envPrefix: 'VEILCAST_' });
    if (loaded.print) process.stdout.write(loaded.text);
    else await run(options, loaded.config, loaded.config as Common);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`✗ ${error.message}\n`);
    process.exitCode = 1;
  }
}

async function run<S extends z.ZodObject>(
  options: ProcessOptions<S>,
  config: z.infer<S>,
  common: Common,
): Promise<void> {
  const log = createLogger({ service: options.kind, level: common.log.level });
  const { who, kind } = options;
  const credentials = await credentialFiles(common.control, {
    clock: systemClock,
    report: (err) => log.error({ err }, 'certificates are not taken'),
  }).catch((cause: unknown) => {
    throw new ConfigError(`control: ${cause instanceof Error ? cause.message : 'the certificates cannot be read'}`, {
      cause,
    });
  });
  const { processId, region } = who(config);
  const named = {
    cluster: credentials.identity.cluster,
    kind,
    region: region ?? credentials.identity.region,
    processId,
  };
  if (identityUri(named as Identity) !== identityUri(credentials.identity)) {
    credentials.close();
    throw new ConfigError(
      `control.certFile is for ${identityUri(credentials.identity)}, and this process is ${identityUri(named as Identity)}`,
    );
  }
  await runService(() => open(options, config, common, credentials, log), { log });
}

/** Ends this process as if it had been asked to. */
const finish = (): void => void process.kill(process.pid, 'SIGINT');

async function open<S extends z.ZodObject>(
  options: ProcessOptions<S>,
  config: z.infer<S>,
  common: Common,
  credentials: CredentialSource,
  log: Logger,
): Promise<Service> {
  const metrics = createMetrics({ service: options.kind, ofProcess: true });
  const shared = { clock: systemClock, random: systemRandom, log, metrics };
  const carrier = carrierFor(common, credentials, metrics);
  const coordination = await openStore({ config: common.store, ...shared });
  let service: Service | undefined;
  const ready = (): boolean => service?.ready() ?? false;
  const probes = await openProbes({ ...common.probes, metrics, ready });
  const close = async (): Promise<void> => {
    await service?.close();
    await probes.close();
    carrier.close();
    await coordination.close();
    credentials.close();
  };
  try {
    service = await options.start({ carrier, coordination, finish, ...shared }, config);
  } catch (error) {
    await close();
    throw error;
  }
  log.info({ probesPort: probes.port }, 'started');
  return { ready, close, drain: async () => service?.drain?.() };
}

function carrierFor({ control }: Common, credentials: CredentialSource, metrics: Registry): Http2Carrier {
  const refused = new Counter({
    name: 'veilcast_control_refused_total',
    help: 'Sockets of the control port that were not let in, and why.',
    labelNames: ['why'],
    registers: [metrics],
  });
  const carrier = http2Carrier({
    credentials,
    clock: systemClock,
    random: systemRandom,
    bind: control.bind,
    onRefused: (why) => refused.inc({ why }),
  });
  const links: Gauge = new Gauge({
    name: 'veilcast_control_links',
    help: 'Links to other processes, by their kind and the key exchange of their TLS.',
    labelNames: ['kind', 'dialled', 'group'],
    registers: [metrics],
    collect: () => {
      links.reset();
      for (const { identity, dialled, group } of carrier.links())
        links.inc({ kind: identity.kind, dialled: String(dialled), group: group ?? 'unknown' });
    },
  });
  const expires: Gauge = new Gauge({
    name: 'veilcast_control_certificate_expires_seconds',
    help: 'When the certificate of this process ends, in seconds since the epoch.',
    registers: [metrics],
    collect: () => expires.set(credentials.expiresAt / 1_000),
  });
  return carrier;
}
