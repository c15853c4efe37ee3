/** One life of one process: what a service is started with, and whether it still counts what it says. */
import { createLogger, createMetrics, type ServiceContext } from '@veilcast/node-kit';
import type { Carrier } from '@veilcast/control';
import type { Clock } from '@veilcast/protocol';
import type { SimulatedProcess } from '@veilcast/testkit';
import type { Chronicle } from './chronicle.ts';

/** Errors that a fault explains. */
const EXPECTED = new Set(['worker died']);

export class Life {
  readonly context: ServiceContext;
  readonly process: SimulatedProcess;
  readonly #chronicle: Chronicle;
  readonly #waiting = new Set<object>();

  constructor(process: SimulatedProcess, chronicle: Chronicle, carrier: Carrier = process.carrier) {
    this.process = process;
    this.#chronicle = chronicle;
    const { clock, coordination, random, name } = process;
    const destination = { write: (line: string) => this.#logged(line) };
    this.context = {
      carrier,
      clock: this.#counted(clock),
      coordination,
      random,
      log: createLogger({ service: name, level: 'error', destination }),
      metrics: createMetrics({ service: name }),
    };
  }

  get alive(): boolean {
    return this.process.alive;
  }

  /** Timers that wait. */
  get timers(): number {
    return this.#waiting.size;
  }

  /** Something was thrown that should not have been. */
  bug(error: unknown): void {
    // What runs on after a kill runs nowhere.
    if (this.alive) this.#chronicle.broke(`a bug in ${this.process.name}: ${String((error as Error)?.stack ?? error)}`);
  }

  #counted(clock: Clock): Clock {
    const add = (start: (run: () => void) => () => void, run: () => void, once: boolean): (() => void) => {
      const timer = {};
      this.#waiting.add(timer);
      const cancel = start(() => {
        if (once) this.#waiting.delete(timer);
        run();
      });
      return () => {
        this.#waiting.delete(timer);
        cancel();
      };
    };
    return {
      now: () => clock.now(),
      after: (ms, run) => add((fire) => clock.after(ms, fire), run, true),
      every: (ms, run) => add((fire) => clock.every(ms, fire), run, false),
    };
  }

  #logged(line: string): void {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string; stack?: string } };
    if (this.alive && !EXPECTED.has(msg ?? ''))
      this.#chronicle.broke(`${this.process.name} logs an error: ${msg} ${err?.stack ?? err?.message ?? ''}`);
  }

  async figure(name: string): Promise<number> {
    const metric = await this.context.metrics.getSingleMetric(name)?.get();
    return metric?.values[0]?.value ?? Number.NaN;
  }
}
