/** What one pipe end has carried: packets and bytes that only grow, and the round trip and loss of the link as last seen. */
import type { MediaConsumer, MediaPipeTransport, MediaProducer, StreamStats } from './media/port.ts';

/** Streams asked for at a time. More: a burst of messages to the worker each second. */
const ASK_AT_ONCE = 16;
/** RTCP's fraction lost is in 256ths. */
const LOSS_UNIT = 256;

interface Measured {
  readonly getStats: () => Promise<StreamStats[]>;
  readonly producerId: string;
}

export class PipeMeter {
  packets = 0;
  bytes = 0;
  /** Negative: not known yet. */
  rttMs = -1;
  lossRatio = 0;
  #counts = new Map<string, number>();
  #past = 0;
  #measuring = false;

  /** Its stream ends: what it carried stays counted. */
  forget(producerId: string): void {
    this.#past += this.#counts.get(producerId) ?? 0;
    this.#counts.delete(producerId);
  }

  async measure(
    transport: MediaPipeTransport,
    sending: ReadonlyMap<string, MediaConsumer>,
    receiving: readonly MediaProducer[],
  ): Promise<void> {
    if (this.#measuring) return;
    this.#measuring = true;
    try {
      const [total] = await transport.getStats();
      this.bytes = total ? total.bytesReceived + total.bytesSent : this.bytes;
      const streams: Measured[] = [
        ...[...sending].map(([producerId, consumer]) => ({ producerId, getStats: () => consumer.getStats() })),
        ...receiving.map((producer) => ({ producerId: producer.id, getStats: () => producer.getStats() })),
      ];
      await this.#ask(streams);
    } catch {
      // It was closed while it was measured.
    } finally {
      this.#measuring = false;
    }
  }

  async #ask(streams: readonly Measured[]): Promise<void> {
    const all: StreamStats[] = [];
    for (let from = 0; from < streams.length; from += ASK_AT_ONCE) {
      const asked = streams.slice(from, from + ASK_AT_ONCE);
      const answers = await Promise.allSettled(asked.map((stream) => stream.getStats()));
      for (const [index, answer] of answers.entries()) {
        if (answer.status === 'rejected') continue;
        const stats = answer.value.filter(({ type }) => type === 'inbound-rtp' || type === 'outbound-rtp');
        this.#counts.set(
          asked[index]!.producerId,
          stats.reduce((sum, { packetCount }) => sum + packetCount, 0),
        );
        all.push(...stats);
      }
    }
    this.packets = [...this.#counts.values()].reduce((sum, count) => sum + count, this.#past);
    const rtts = all.flatMap(({ roundTripTime }) => (roundTripTime ? [roundTripTime] : []));
    if (rtts.length > 0) this.rttMs = mean(rtts);
    this.lossRatio = all.length > 0 ? mean(all.map(({ fractionLost }) => fractionLost)) / LOSS_UNIT : 0;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
