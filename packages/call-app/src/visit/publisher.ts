/**
 * Makes the call publish what the local media has: level-triggered. After every change it compares what is with what
 * should be and takes one step after the other until they agree; a step that failed is tried again at the next change.
 */
import type { Call } from '@veilcast/client';
import type { Source } from '@veilcast/protocol';
import type { LocalMedia, LocalState } from '../media/local.ts';

interface Wanted {
  readonly source: Source;
  readonly track: MediaStreamTrack | undefined;
  readonly on: boolean;
}

interface Published {
  readonly track: MediaStreamTrack;
  readonly muted: boolean;
}

function wanted({ microphone, camera, screen, screenAudio }: LocalState): Wanted[] {
  return [
    { source: 'microphone', track: microphone.track, on: microphone.on },
    { source: 'camera', track: camera.track, on: camera.on },
    { source: 'screen', track: screen, on: screen !== undefined },
    { source: 'screen-audio', track: screenAudio, on: screenAudio !== undefined },
  ];
}

export class Publisher {
  readonly #call: Call;
  readonly #media: LocalMedia;
  readonly #failed: (thrown: unknown) => void;
  readonly #published = new Map<Source, Published>();
  readonly #stops: readonly (() => void)[];
  #running = false;
  #again = false;
  #closed = false;

  constructor(call: Call, media: LocalMedia, failed: (thrown: unknown) => void) {
    this.#call = call;
    this.#media = media;
    this.#failed = failed;
    let state = call.snapshot.state;
    const onCall = (): void => {
      if (call.snapshot.state !== state) this.#wake();
      state = call.snapshot.state;
    };
    this.#stops = [media.store.subscribe(() => this.#wake()), call.on('change', onCall)];
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    for (const stop of this.#stops) stop();
  }

  #wake(): void {
    this.#again = true;
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#again && !this.#closed && this.#call.snapshot.state === 'joined') {
      this.#again = false;
      try {
        await this.#agree();
      } catch (thrown) {
        if (!this.#closed) this.#failed(thrown);
      }
    }
    this.#running = false;
  }

  async #agree(): Promise<void> {
    if (this.#call.snapshot.self.role === 'viewer') return;
    const all = wanted(this.#media.store.value);
    // The SDK closes what its device took away by itself.
    const { published } = this.#call.snapshot.self;
    for (const source of this.#published.keys()) if (!published.includes(source)) this.#published.delete(source);
    await this.#publishNew(all);
    for (const one of all) await this.#step(one);
  }

  /** Camera and microphone that start together are published together: one negotiation. Nothing muted is published. */
  async #publishNew(all: readonly Wanted[]): Promise<void> {
    const fresh = all.filter(({ source, track, on }) => track && on && !this.#published.has(source));
    for (const group of [
      fresh.filter(({ source }) => !source.startsWith('screen')),
      fresh.filter(({ source }) => source.startsWith('screen')),
    ]) {
      const tracks = group.flatMap(({ track }) => (track ? [track] : []));
      if (tracks.length === 0) continue;
      const screen = group.some(({ source }) => source.startsWith('screen'));
      await this.#call.publish(
        new MediaStream(tracks),
        screen ? { audio: 'screen-audio', video: 'screen' } : { audio: 'microphone', video: 'camera' },
      );
      for (const { source, track } of group) if (track) this.#published.set(source, { track, muted: false });
    }
  }

  async #step({ source, track, on }: Wanted): Promise<void> {
    const now = this.#published.get(source);
    if (!now) return;
    // Also a camera that is off: its track has ended, and an ended track cannot be published on a new connection.
    if (!track) {
      // Refused, it is still sent, and tried again.
      await this.#call.unpublish(source);
      this.#published.delete(source);
      return;
    }
    if (track !== now.track) {
      await this.#call.replaceTrack(source, track);
      this.#published.set(source, { ...now, track });
    }
    if (now.muted === on) {
      await this.#call.setMuted(source, !on);
      this.#published.set(source, { track, muted: !on });
    }
  }
}
