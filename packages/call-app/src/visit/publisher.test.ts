import type { Call, CallSnapshot } from '@veilcast/client';
import type { Source } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LocalMedia, LocalState } from '../media/local.ts';
import { Publisher } from './publisher.ts';
import { Store } from './store.ts';

/** A call that keeps what it was told to publish, late and sometimes refusing. */
class CallDouble {
  readonly sent = new Map<Source, { track: unknown; muted: boolean }>();
  readonly #refuse: () => boolean;
  readonly #listeners = new Set<() => void>();
  state: CallSnapshot['state'] = 'joined';

  constructor(refuse: () => boolean) {
    this.#refuse = refuse;
  }

  get snapshot(): CallSnapshot {
    const self = { role: 'speaker', published: [...this.sent.keys()] };
    return { state: this.state, self } as unknown as CallSnapshot;
  }

  on(_event: string, listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  publish(stream: { getTracks(): { kind: string }[] }, sources: { audio: Source; video: Source }): Promise<void> {
    return this.#later(() => {
      for (const track of stream.getTracks()) {
        this.sent.set(track.kind === 'audio' ? sources.audio : sources.video, { track, muted: false });
      }
    });
  }

  unpublish(source: Source): Promise<void> {
    return this.#later(() => this.sent.delete(source));
  }

  setMuted(source: Source, muted: boolean): Promise<void> {
    return this.#later(() => this.sent.set(source, { ...this.#of(source), muted }));
  }

  replaceTrack(source: Source, track: unknown): Promise<void> {
    return this.#later(() => this.sent.set(source, { ...this.#of(source), track }));
  }

  #of(source: Source): { track: unknown; muted: boolean } {
    const known = this.sent.get(source);
    if (!known) throw new Error(`${source} is not published`);
    return known;
  }

  async #later(change: () => void): Promise<void> {
    await Promise.resolve();
    if (this.#refuse()) throw new Error('refused');
    change();
  }
}

Object.assign(globalThis, {
  MediaStream: class {
    readonly tracks: unknown[];
    constructor(tracks: unknown[]) {
      this.tracks = tracks;
    }
    getTracks(): unknown[] {
      return this.tracks;
    }
  },
});

const device = fc.record({ track: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }), on: fc.boolean() });
const states = fc.array(
  fc.record({
    microphone: device,
    camera: device,
    screen: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 12 },
);
type Wish = typeof states extends fc.Arbitrary<(infer T)[]> ? T : never;

const tracks = new Map<string, object>();
function track(kind: string, source: string, number: number | undefined): object | undefined {
  if (number === undefined) return undefined;
  const key = `${source} ${number}`;
  const made = tracks.get(key) ?? { kind, key };
  tracks.set(key, made);
  return made;
}

function localState(wish: Wish): LocalState {
  const microphone = { ...wish.microphone, track: track('audio', 'microphone', wish.microphone.track) };
  const camera = { ...wish.camera, track: track('video', 'camera', wish.camera.track) };
  // A device is on only with a track, and a camera has a track only while it is on.
  return {
    microphone: { ...microphone, on: microphone.on && microphone.track !== undefined },
    camera: { ...camera, track: camera.on ? camera.track : undefined, on: camera.on && camera.track !== undefined },
    screen: track('video', 'screen', wish.screen),
  } as unknown as LocalState;
}

it('ends with exactly what the local media has, whatever came before and whatever was refused on the way', async () => {
  await fc.assert(
    fc.asyncProperty(states, fc.array(fc.boolean(), { maxLength: 20 }), async (wishes, refusals) => {
      const store = new Store<LocalState>(
        localState({
          microphone: { track: undefined, on: false },
          camera: { track: undefined, on: false },
          screen: undefined,
        }),
      );
      const call = new CallDouble(() => refusals.pop() ?? false);
      const publisher = new Publisher(call as unknown as Call, { store } as LocalMedia, () => undefined);
      for (const [place, wish] of wishes.entries()) {
        store.set(localState(wish));
        if (place % 2 === 0) await Promise.resolve();
      }
      // Refused steps are tried again at the next change.
      for (let i = 0; i < 25; i++) {
        store.patch({ devices: [] });
        await new Promise((resolve) => setImmediate(resolve));
      }
      const last = store.value;
      for (const [source, wanted] of [
        ['microphone', last.microphone],
        ['camera', last.camera],
        ['screen', { track: last.screen, on: last.screen !== undefined }],
      ] as const) {
        const sent = call.sent.get(source);
        if (wanted.on) expect(sent).toEqual({ track: wanted.track, muted: false });
        else expect(sent === undefined || sent.muted).toBe(true);
      }
      publisher.close();
    }),
    { numRuns: 60 },
  );
});
