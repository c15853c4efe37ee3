/** So many of something a minute for one network address. Addresses are forgotten a minute after their last use. */
import { ClusterError } from '@veilcast/protocol';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';

const WINDOW_S = 60;

export class AddressBudget {
  readonly #limiter: RateLimiterMemory;

  constructor(name: string, perMinute: number) {
    this.#limiter = new RateLimiterMemory({ keyPrefix: name, points: perMinute, duration: WINDOW_S });
  }

  /** @throws ClusterError RATE_LIMITED */
  async take(address: string): Promise<void> {
    try {
      await this.#limiter.consume(address);
    } catch (refused) {
      const retryMs = refused instanceof RateLimiterRes ? Math.max(1, Math.ceil(refused.msBeforeNext)) : 1_000;
      throw new ClusterError('RATE_LIMITED', undefined, { retryMs });
    }
  }
}
