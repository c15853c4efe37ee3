/** The direct path as a part of the call: fed by what the call knows, and put between what comes and what is shown. */
import type { Admission, Clock, PeerToPeer } from '@veilcast/protocol';
import type { CallSnapshot, ConnectOptions, ShownTile } from '../call.ts';
import type { Received } from '../media/receiving.ts';
import type { StatsEntries } from '../media/stats.ts';
import { TileReports } from '../media/tiles.ts';
import type { Publications } from '../publications.ts';
import type { RemoteTracks } from '../received.ts';
import type { SeatMedia } from '../seat-media.ts';
import type { SeatListeners } from '../seat-listeners.ts';
import type { Seat } from '../seat.ts';
import type { SnapshotStore } from '../snapshot.ts';
import type { Talk } from '../talk.ts';
import { Direct } from './direct.ts';
import { wouldGoDirectly } from './pair.ts';
import { DirectTiles } from './tiles.ts';

export interface DirectCallOutside {
  readonly clock: Clock;
  readonly store: SnapshotStore;
  readonly publications: Publications;
  readonly talk: Talk;
  readonly seat: () => Seat | undefined;
  readonly remote: () => RemoteTracks;
}

type Asked = Pick<ConnectOptions, 'peerToPeer' | 'hideAddress' | 'codec'>;

export class DirectCall {
  /** What the Seat says of the server's Consumers. */
  readonly listeners: Pick<SeatListeners, 'opened' | 'closed' | 'replaced' | 'wantOwnKeyFrames'>;
  readonly #outside: DirectCallOutside;
  readonly #direct: Direct;
  readonly #reports: TileReports;
  readonly #tiles: DirectTiles;
  #asked: Asked;
  #policy: PeerToPeer = 'off';

  constructor(asked: Asked, outside: DirectCallOutside) {
    this.#asked = asked;
    this.#outside = outside;
    const { clock, talk, seat, remote, publications, store } = outside;
    this.#reports = new TileReports(clock, (tiles) => {
      seat()
        ?.signaling.request('showTiles', { tiles })
        .catch(() => undefined);
    });
    this.#direct = new Direct({
      clock,
      codec: asked.codec ?? 'vp8',
      configuration: () => seat()?.ice.configuration ?? {},
      transforms: () => seat()?.transforms,
      received: () => this.#byServer(),
      isIdle: (producerId) => remote().isIdle(producerId),
      isOpened: (consumerId) => remote().isOpened(consumerId),
      published: () => publications.list(),
      say: (message) => void talk.say('direct', message).catch(() => undefined),
      replaced: (before, received) => remote().replaced(before, received),
      rest: () => this.#rest(seat()?.media),
      connected: () => this.#tiles.again(true),
      shown: () => {
        store.set({ direct: this.#direct.isShown });
        this.#rest(seat()?.media);
        this.#tiles.again();
      },
    });
    this.#tiles = new DirectTiles({
      clock,
      list: () => this.shown(),
      spared: () => this.#direct.ways.spared(),
      toServer: (tiles) => {
        if (seat()?.media) this.#reports.show(tiles);
      },
      toOther: (fits) => this.#direct.fits(fits),
    });
    talk.on('direct', (message, { by }) => this.#direct.hear(by, message));
    const { ways } = this.#direct;
    this.listeners = {
      opened: (received) => remote().opened(received),
      closed: (received) => remote().closed(ways.closed(received)),
      replaced: (before, received) => ways.replaced(before, received),
      wantOwnKeyFrames: (sources) => this.#direct.makeKeyFrames(sources),
    };
  }

  /** What is shown, by whatever way. */
  shown(): readonly Received[] {
    return this.#direct.ways.list();
  }

  stats(): Promise<StatsEntries | undefined> {
    return this.#direct.stats();
  }

  follow(snapshot: CallSnapshot): void {
    this.#direct.follow(snapshot);
  }

  admitted({ peerToPeer }: Admission): void {
    this.#policy = peerToPeer ?? 'off';
    this.#allow();
  }

  hideAddress(hideAddress: boolean): void {
    this.#asked = { ...this.#asked, hideAddress };
    this.#allow();
  }

  /** What the server is asked for is no larger; null: no picture of it. */
  limitTiles(layersMax: number | null, unsaid: () => readonly ShownTile[]): void {
    this.#reports.limit(layersMax, unsaid);
  }

  showTiles(tiles: readonly ShownTile[]): void {
    this.#tiles.show(tiles);
  }

  /** Another place: it is told what the last one was told. */
  resume(media: SeatMedia): void {
    this.#reports.repeat();
    this.#rest(media);
  }

  /** The Seat is given up, and the keys with it. */
  forsake(): void {
    this.#direct.end();
  }

  close(): void {
    this.#direct.close();
    this.#tiles.close();
    this.#reports.close();
  }

  /** What goes directly is not sent to the server, and what comes directly is not missed from there. */
  #rest(media: SeatMedia | undefined): void {
    const { resting, isShown } = this.#direct;
    media?.publishing.rest(resting);
    media?.transports.rest(resting.length > 0 || isShown);
  }

  #allow(): void {
    this.#direct.allow(wouldGoDirectly(this.#policy, this.#asked));
  }

  #byServer(): readonly Received[] {
    return this.#outside.seat()?.media?.receiving.list() ?? [];
  }
}
