/**
 * A TURN server: coturn, and beside it what coturn lacks: secrets and certificates that change while it runs, health, figures, drain,
 * and a line in the Directory by which signaling finds it. Wiring only; nobody calls it.
 */
import { register, openSecrets, type Registered, type Service, type ServiceContext } from '@veilcast/node-kit';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { followCertificate } from './certificate.ts';
import { TurnConfig, type TurnConfigInput } from './config.ts';
import { coturnConfig, iceUrls } from './coturn-config.ts';
import { Coturn } from './coturn.ts';
import { Health } from './health.ts';
import { readLogLine } from './log-lines.ts';
import { TurnMetrics } from './metrics.ts';
import { openSecretTable } from './secret-table.ts';

/** How often a drain looks whether somebody is left. */
const DRAIN_LOOK_MS = 200;

export interface TurnOptions {
  readonly config: TurnConfigInput;
  readonly context: ServiceContext;
}

export interface TurnServer extends Service {
  readonly turnId: string;
  /** As clients are told. */
  readonly iceUrls: readonly string[];
  /** Allocations that live. */
  readonly allocations: number;
  /** Of coturn, while it runs. */
  readonly pid: number | undefined;
  /**
   * Takes no new allocations from now on; those that live go on. Resolves when none is left (true) or the deadline of the configuration
   * has passed (false).
   */
  drain(): Promise<boolean>;
}

/** Resolves when coturn was started; `ready` says when it answers. @throws ZodError, or Error when a file cannot be used */
export async function startTurn(options: TurnOptions): Promise<TurnServer> {
  const config = TurnConfig.parse(options.config);
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-turn-'));
  const undo: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
  };
  try {
    return await start(config, options.context, folder, undo, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  config: TurnConfig,
  context: ServiceContext,
  folder: string,
  undo: (() => unknown)[],
  close: () => Promise<void>,
): Promise<TurnServer> {
  const { clock, random } = context;
  const log = context.log.child({ turn: config.turnId });
  const report = (err: unknown): void => log.warn({ err }, 'a file is not taken; what was read before goes on');
  const file = (name: string): string => join(folder, name);
  const metrics = new TurnMetrics(context.metrics, config.turnId);
  const urls = iceUrls(config);

  const secrets = await openSecrets(config.secretFile, { clock, report });
  undo.push(() => secrets.close());
  const table = openSecretTable(file('turndb'));
  undo.push(() => table.close());
  let isDraining = false;
  const showSecrets = (): void => table.put(isDraining ? [] : secrets.current);
  secrets.onChange(showSecrets);
  showSecrets();

  const copies = { certFile: file('cert.pem'), keyFile: file('key.pem') };
  const { tls } = config;
  if (tls) {
    const changed = (): void => coturn.signal('SIGUSR2');
    undo.push(await followCertificate(tls, copies, { clock, changed, report }));
  }
  const configFile = file('turnserver.conf');
  const paths = { database: file('turndb'), pidFile: file('pid') };
  await writeFile(configFile, coturnConfig({ ...config, ...(tls && { tls: copies }) }, paths), { mode: 0o600 });

  const registration = {
    kind: 'turn',
    processId: config.turnId,
    incarnation: random.id('inc'),
    address: urls[0] ?? '',
    region: config.region,
    iceUrls: urls,
  } as const;
  // One after the other: it must not be written after it was taken out.
  let registered: Registered | undefined;
  let turns: Promise<void> = Promise.resolve();
  const show = (): Promise<void> =>
    (turns = turns.then(async () => {
      const isOpen = health.isWell && !isDraining;
      if (isOpen) registered ??= await register(context, registration);
      else {
        await registered?.close();
        registered = undefined;
      }
    }));
  const health = new Health({
    clock,
    server: { ip: config.listen[0] ?? '', port: config.ports.plain },
    changed: (isWell) => {
      metrics.up(isWell);
      if (!isWell) log.warn('coturn does not answer');
      // One that hangs holds the ports that another needs.
      if (!isWell) coturn.signal('SIGKILL');
      void show();
    },
  });
  const coturn = new Coturn({
    program: config.program,
    configFile,
    clock,
    line: (line) => {
      const event = readLogLine(line, clock.now());
      if (event) metrics.take(event);
    },
    died: (why, waitMs) => {
      log.error({ why, waitMs }, 'coturn ended; it is started again');
      metrics.died();
      health.lost();
    },
  });
  undo.push(() => coturn.close());
  undo.push(async () => {
    isDraining = true;
    await show();
    health.close();
  });

  const drain = async (): Promise<boolean> => {
    isDraining = true;
    showSecrets();
    await show();
    log.info({ allocations: metrics.allocations }, 'draining');
    const until = clock.now() + config.drain.deadlineMs;
    while (metrics.allocations > 0 && clock.now() < until)
      await new Promise<void>((resolve) => void clock.after(DRAIN_LOOK_MS, resolve));
    return metrics.allocations === 0;
  };
  return {
    turnId: config.turnId,
    iceUrls: urls,
    get allocations() {
      return metrics.allocations;
    },
    get pid() {
      return coturn.pid;
    },
    ready: () => health.isWell && !isDraining,
    drain,
    close,
  };
}
