/** A worker process: takes requests one after the other, and can crash or hang. */
import type { types } from 'mediasoup';
import { WorkerClosedError } from 'mediasoup/errors';
import { Emitter } from './emitter.ts';
import type { FakeMedia } from './media.ts';
import { FakeRouter } from './router.ts';

export class FakeWorker extends Emitter {
  readonly pid: number;
  readonly media: FakeMedia;
  readonly routers = new Set<FakeRouter>();
  closed = false;
  subprocessClosed = false;
  /** Share of a core that it says it uses. */
  cpu = 0.01;
  #hung = false;
  #cpuMs = 0;
  #cpuAt: number;
  readonly #waiting = new Set<(error: Error) => void>();

  constructor(media: FakeMedia, pid: number) {
    super(media.listenerErrors);
    this.media = media;
    this.pid = pid;
    this.#cpuAt = media.clock.now();
  }

  close(): void {
    if (this.closed) return;
    this.#end();
    this.notify(() => this.#gone());
  }

  /** As if it had crashed or been killed. */
  crash(): void {
    if (this.closed) return;
    this.#end();
    this.safeEmit('died', new Error('[signal:SIGKILL]'));
    this.#gone();
  }

  /** As under SIGSTOP: nothing is answered or told any more. Only `crash` and `close` end it. */
  hang(): void {
    this.#hung = true;
  }

  #gone(): void {
    if (this.subprocessClosed) return;
    this.subprocessClosed = true;
    this.safeEmit('subprocessclose');
  }

  #end(): void {
    this.closed = true;
    this.#hung = false;
    for (const router of this.routers) router.workerClosed();
    this.routers.clear();
    for (const reject of this.#waiting) reject(new WorkerClosedError('Channel closed'));
    this.#waiting.clear();
  }

  /** @throws WorkerClosedError */
  async request(): Promise<void> {
    if (this.closed) throw new WorkerClosedError('Channel closed');
    await new Promise<void>((resolve, reject) => {
      this.#waiting.add(reject);
      this.#later(() => {
        if (this.#hung) return;
        this.#waiting.delete(reject);
        resolve();
      });
    });
  }

  /** Tells of something a moment later, as from another process. */
  notify(tell: () => void): void {
    this.#later(() => {
      if (!this.#hung) tell();
    });
  }

  #later(run: () => void): void {
    if (this.media.latencyMs > 0) this.media.clock.after(this.media.latencyMs, run);
    else queueMicrotask(run);
  }

  async createWebRtcServer(): Promise<types.WebRtcServer> {
    await this.request();
    return { id: this.media.id('server') } as unknown as types.WebRtcServer;
  }

  async createRouter(init: { mediaCodecs?: types.RouterRtpCodecCapability[] }): Promise<FakeRouter> {
    await this.request();
    const router = new FakeRouter(this, init.mediaCodecs ?? []);
    this.routers.add(router);
    return router;
  }

  async getResourceUsage(): Promise<{ ru_utime: number; ru_stime: number }> {
    await this.request();
    const now = this.media.clock.now();
    this.#cpuMs += (now - this.#cpuAt) * this.cpu;
    this.#cpuAt = now;
    return { ru_utime: this.#cpuMs, ru_stime: 0 };
  }
}
