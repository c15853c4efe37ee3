/**
 * What the application wants sent, whatever happens to the connection: a new Seat publishes all of it again. Muting
 * before publishing counts.
 */
import type { Source } from '@veilcast/protocol';
import type { Publishing } from './media/publishing.ts';

export interface Publication {
  readonly track: MediaStreamTrack;
  readonly ended: () => void;
}

export class Publications {
  readonly #tracks = new Map<Source, Publication>();
  readonly #muted = new Set<Source>();
  readonly #changed: (published: Source[], muted: Source[]) => void;
  readonly #trackEnded: (source: Source) => void;

  constructor(changed: (published: Source[], muted: Source[]) => void, trackEnded: (source: Source) => void) {
    this.#changed = changed;
    this.#trackEnded = trackEnded;
  }

  isMuted(source: Source): boolean {
    return this.#muted.has(source);
  }

  put(source: Source, track: MediaStreamTrack): void {
    this.#unwatch(source);
    // The person stopped it in the browser's own bar, or the device is gone.
    const ended = () => this.#trackEnded(source);
    track.addEventListener('ended', ended);
    this.#tracks.set(source, { track, ended });
    track.enabled = !this.isMuted(source);
    this.#tell();
  }

  remove(source: Source): void {
    this.#unwatch(source);
    this.#tracks.delete(source);
    this.#muted.delete(source);
    this.#tell();
  }

  mute(source: Source, muted: boolean): void {
    if (muted) this.#muted.add(source);
    else this.#muted.delete(source);
    const publication = this.#tracks.get(source);
    if (publication) publication.track.enabled = !muted;
    this.#tell();
  }

  /** What is published now. */
  *list(): Iterable<readonly [Source, Publication & { readonly muted: boolean }]> {
    for (const [source, publication] of this.#tracks) yield [source, { ...publication, muted: this.isMuted(source) }];
  }

  /** Publishes everything; what one Seat refuses does not hold up the rest. Returns what failed. */
  async publishAll(publishing: Publishing): Promise<unknown[]> {
    const results = await Promise.allSettled(
      Array.from(this.#tracks, ([source, { track }]) => publishing.publish(source, track, this.isMuted(source))),
    );
    return results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
  }

  close(): void {
    const sources = Array.from(this.#tracks.keys());
    for (const source of sources) this.#unwatch(source);
    this.#tracks.clear();
  }

  #unwatch(source: Source): void {
    const publication = this.#tracks.get(source);
    publication?.track.removeEventListener('ended', publication.ended);
  }

  #tell(): void {
    const published = Array.from(this.#tracks.keys());
    this.#changed(
      published,
      Array.from(this.#muted).filter((source) => this.#tracks.has(source)),
    );
  }
}
