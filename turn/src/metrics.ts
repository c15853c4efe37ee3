/** A TURN server's figures for Prometheus. Several of one process share a registry; each has its own `turn` label. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { LogEvent, Refusal, Traffic } from './log-lines.ts';

const NAME = 'veilcast_turn';

export class TurnMetrics {
  readonly #registry: Registry;
  readonly #turn: string;
  /** Ids of allocations that live. Bounded by the server's own quota. */
  readonly #open = new Set<string>();

  constructor(registry: Registry, turn: string) {
    this.#registry = registry;
    this.#turn = turn;
    this.#showOpen();
    this.up(false);
  }

  get allocations(): number {
    return this.#open.size;
  }

  take(event: LogEvent): void {
    switch (event.kind) {
      case 'opened':
        this.#open.add(event.session);
        this.#counter('allocations_total', 'Allocations that were made').inc({ turn: this.#turn });
        break;
      case 'closed':
        this.#open.delete(event.session);
        break;
      case 'relayed':
        return this.#relayed(event.side, event.traffic);
      case 'refused':
        return this.#refused(event.reason);
    }
    this.#showOpen();
  }

  up(isUp: boolean): void {
    this.#gauge('up', 'Whether coturn answers').set({ turn: this.#turn }, isUp ? 1 : 0);
  }

  died(): void {
    this.#open.clear();
    this.#showOpen();
    this.#counter('deaths_total', 'Times that coturn ended by itself').inc({ turn: this.#turn });
  }

  #relayed(side: 'clients' | 'peers', traffic: Traffic): void {
    const count = (what: 'packets' | 'bytes', way: 'from' | 'to', value: number): void =>
      this.#counter(`${what}_total`, `All ${what} of allocations, told every 2,048 packets and at the end of each`, [
        'side',
        'way',
      ]).inc({ turn: this.#turn, side, way }, value);
    count('packets', 'from', traffic.receivedPackets);
    count('bytes', 'from', traffic.receivedBytes);
    count('packets', 'to', traffic.sentPackets);
    count('bytes', 'to', traffic.sentBytes);
  }

  #refused(reason: Refusal): void {
    this.#counter('refused_total', 'Requests refused, by reason', ['reason']).inc({ turn: this.#turn, reason });
  }

  #showOpen(): void {
    this.#gauge('allocations', 'Allocations that live').set({ turn: this.#turn }, this.#open.size);
  }

  #gauge(name: string, help: string): Gauge {
    const full = `${NAME}_${name}`;
    const known = this.#registry.getSingleMetric(full) as Gauge | undefined;
    return known ?? new Gauge({ name: full, help, labelNames: ['turn'], registers: [this.#registry] });
  }

  #counter(name: string, help: string, labels: string[] = []): Counter {
    const full = `${NAME}_${name}`;
    const known = this.#registry.getSingleMetric(full) as Counter | undefined;
    return known ?? new Counter({ name: full, help, labelNames: ['turn', ...labels], registers: [this.#registry] });
  }
}
