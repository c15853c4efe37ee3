/**
 * The life of a process: starts a Service, closes it once when asked to, and always ends. SIGTERM lets it drain first, SIGINT
 * does not.
 * A rejection that nobody took is a bug; the process gives its things back and ends with 1.
 */
import type { Clock } from '@veilcast/protocol';
import type { Logger } from 'pino';
import type { Service } from './service.ts';
import { systemClock } from './system.ts';

/** How long `close` may take. Longer: orchestrators kill first. Shorter: people are cut off rudely. */
export const CLOSE_MAX_MS = 5_000;

/** What is used of `process`. */
export interface ProcessPort {
  on(
    event: 'SIGTERM' | 'SIGINT' | 'disconnect' | 'unhandledRejection' | 'uncaughtException',
    listener: (arg?: unknown) => void,
  ): unknown;
  exit(code: number): void;
}

export interface RunOptions {
  readonly log: Logger;
  readonly clock?: Clock | undefined;
  readonly process?: ProcessPort | undefined;
}

/** Resolves with the running service, or ends the process with 1 when it does not start. */
export async function runService(start: () => Promise<Service>, options: RunOptions): Promise<Service | undefined> {
  const { log } = options;
  const port: ProcessPort = options.process ?? process;
  const clock = options.clock ?? systemClock;
  keepReportsQuiet();
  let starting: Promise<Service> | undefined;
  let ending = false;
  let draining = false;

  /** Drains first, where the service does; whoever asks again does not want to wait for it. */
  const retire = (): void => {
    if (draining || ending) return end(0);
    draining = true;
    Promise.resolve(starting)
      .then((service) => service?.drain?.())
      .catch((error: unknown) => log.error({ err: error }, 'draining failed'))
      .finally(() => {
        if (!ending) end(0);
      });
  };
  const end = (code: number): void => {
    // Asked twice: somebody is in a hurry.
    if (ending) return port.exit(code === 0 ? 130 : code);
    ending = true;
    const stopTimer = clock.after(CLOSE_MAX_MS, () => {
      log.error('closing took too long');
      port.exit(1);
    });
    Promise.resolve(starting)
      .then((service) => service?.close())
      .then(
        () => code,
        (error: unknown) => {
          log.error({ err: error }, 'closing failed');
          return 1;
        },
      )
      .then((exitCode) => {
        stopTimer();
        port.exit(exitCode);
      })
      .catch(() => port.exit(1));
  };
  const die = (error: unknown): void => {
    log.fatal({ err: error }, 'unexpected failure');
    end(1);
  };
  port.on('SIGTERM', retire);
  port.on('SIGINT', () => end(0));
  // Whoever started this process over an IPC channel is gone, and could not say so.
  port.on('disconnect', () => end(0));
  port.on('unhandledRejection', die);
  port.on('uncaughtException', die);

  starting = start();
  try {
    return await starting;
  } catch (error) {
    log.fatal({ err: error }, 'could not start');
    starting = undefined;
    end(1);
    return undefined;
  }
}

/** A diagnostic report, which whoever runs this may have Node write, holds the environment and the machine's addresses otherwise. */
function keepReportsQuiet(): void {
  Object.assign(process.report, { excludeNetwork: true, excludeEnv: true });
}
