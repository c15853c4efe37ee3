/** An AudioLevelObserver: there is no sound here, so nobody is ever loud. */
import { Emitter } from './emitter.ts';
import type { FakeRouter } from './router.ts';

export class FakeAudioLevelObserver extends Emitter {
  readonly #router: FakeRouter;

  constructor(router: FakeRouter) {
    super(router.media.listenerErrors);
    this.#router = router;
  }

  /** @throws Error when the Producer is not on the Router, or is not audio */
  async addProducer({ producerId }: { producerId: string }): Promise<void> {
    await this.#router.worker.request();
    const producer = this.#router.producers.get(producerId);
    if (producer?.kind !== 'audio') throw new Error('not an audio Producer of this Router');
  }

  close(): void {}
}
