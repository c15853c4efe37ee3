/**
 * The part of the check that needs the cluster: a Room of its own with two calls of this page in it. One stays and listens, the other one comes by each
 * rung in turn, with what it sends; both leave at the end, and the Room goes with them.
 */
import type { AdaptationReport, Call } from '@veilcast/client';
import { ClusterError, type Role } from '@veilcast/protocol';
import { connect } from '../visit/connect.ts';
import { fetchToken } from '../visit/token.ts';
import { openFilm, type Film } from './film.ts';
import { hasServer, onlyBy, type Rung } from './one-path.ts';

/** A join takes a second or two, several on a busy device; a rung that has not carried a picture by then does not work. */
const RUNG_LIMIT_MS = 20_000;
const LOOK_MS = 100;
/** The sender starts at a guess and needs some seconds to find out what there is. */
const BANDWIDTH_MS = 6_000;
/** The last of them are what counts. */
const COUNTED = 3;
/** Clocks of two ends, and a second that is cut differently. */
const ALL_CAME = 0.85;
/** What the film takes where nothing is in its way, and the share of it below which something is that is not the network. */
const FILM_BPS = 2_900_000;
const UNUSED = 0.4;

type SendSample = NonNullable<NonNullable<AdaptationReport['measured']>['send']>;

const PIN = document.querySelector<HTMLMetaElement>('meta[name="veilcast-pin"]')?.content;

export interface RungFound {
  /** From the start of joining to the first picture at the other end. */
  readonly ms: number;
  /** Between this browser and the node; null where it was not measured. */
  readonly rttMs: number | null;
  /** What the browser says that it went by: `udp` or `tcp`. */
  readonly by: string;
}

export interface Bandwidth {
  /** What the browser's estimate says after it was tried; where there is none, what was sent and arrived. */
  readonly upBps: number;
  readonly downBps: number;
  /** Everything that was sent came down: the way down may carry more. */
  readonly isDownLeast: boolean;
  /** Of the way up, 0 to 1. */
  readonly loss: number;
  /** The device encoded less than the network would have carried. */
  readonly busy: boolean;
}

export interface Joined {
  readonly ms: number;
  readonly encrypted: boolean;
}

export class CheckRoom {
  readonly #name = `check-${crypto.randomUUID()}`;
  #film: Film | undefined;
  #listener: Call | undefined;
  #comer: Call | undefined;
  #last: Rung | undefined;

  /** The first call of the Room, by whatever way works. @throws ClusterError */
  async open(): Promise<Joined> {
    const from = performance.now();
    this.#listener = await this.#join('viewer');
    const ms = Math.round(performance.now() - from);
    await until(() => this.#listener?.snapshot.encryption.state === 'encrypted', RUNG_LIMIT_MS);
    this.#film = openFilm();
    return { ms, encrypted: true };
  }

  /** By one rung, both ways. Undefined: there is no server for it. @throws ClusterError DEADLINE where nothing comes */
  async by(rung: Rung): Promise<RungFound | undefined> {
    if (!hasServer(rung)) return undefined;
    await this.#comer?.leave();
    this.#comer = undefined;
    this.#last = rung;
    return onlyBy(rung, async () => {
      const from = performance.now();
      const comer = (this.#comer = await this.#join('speaker'));
      const film = this.#mustHaveFilm();
      await comer.publish(film.stream);
      await until(() => this.#sees(), RUNG_LIMIT_MS);
      const ms = Math.round(performance.now() - from);
      const { adaptation, self } = await comer.report();
      return { ms, rttMs: adaptation?.measured?.send?.rttMs ?? null, by: self.transport };
    });
  }

  /** What really arrives of a picture that wants much, both ways at once; each second is told. */
  async bandwidth(rung: Rung, told: (second: number, of: number) => void): Promise<Bandwidth> {
    // What came last may not be what works.
    if (this.#last !== rung) await this.by(rung);
    const looks: Look[] = [];
    const seconds = BANDWIDTH_MS / 1_000;
    for (let second = 1; second <= seconds; second++) {
      told(second, seconds);
      await pause(1_000);
      const [up, down] = await Promise.all([this.#comer?.report(), this.#listener?.report()]);
      const send = up?.adaptation?.measured?.send;
      const downBps = down?.adaptation?.measured?.receive?.receivedBps ?? 0;
      if (send) looks.push({ send, downBps });
    }
    return bandwidthOf(looks.slice(-COUNTED));
  }

  async close(): Promise<void> {
    const calls = [this.#comer, this.#listener];
    this.#comer = this.#listener = undefined;
    this.#film?.stop();
    await Promise.allSettled(calls.flatMap((call) => (call ? [call.leave()] : [])));
  }

  /** A viewer's media goes by a node always, and never directly from one call to the other. */
  async #join(role: Role): Promise<Call> {
    const token = () => fetchToken(this.#name, role);
    return connect({ url: location.origin, token, ...(PIN === undefined ? {} : { pin: PIN }), name: 'check' });
  }

  /** The listener decodes the picture of whoever came last. */
  async #sees(): Promise<boolean> {
    const self = this.#comer?.snapshot.self.peerId;
    const listener = this.#listener;
    const person = listener?.snapshot.people.find(({ peerId }) => peerId === self);
    const camera = person?.tracks.find(({ source }) => source === 'camera');
    if (!listener || !camera) return false;
    listener.showTiles([{ producerId: camera.producerId, width: WIDTH, height: HEIGHT, visible: true }]);
    const { peers } = await listener.report();
    return (peers.find(({ peerId }) => peerId === self)?.video.framesDecoded ?? 0) > 0;
  }

  #mustHaveFilm(): Film {
    if (!this.#film) throw new ClusterError('NOT_JOINED');
    return this.#film;
  }
}

interface Look {
  readonly send: SendSample;
  readonly downBps: number;
}

function bandwidthOf(looks: readonly Look[]): Bandwidth {
  const best = (of: (look: Look) => number): number => Math.round(Math.max(0, ...looks.map(of)));
  const sentBps = best(({ send }) => send.sentBps);
  const downBps = best((look) => look.downBps);
  const loss = Math.max(0, ...looks.map(({ send }) => send.loss ?? 0));
  const upBps = best(({ send }) => send.availableBps ?? send.sentBps * (1 - loss));
  return {
    upBps,
    downBps,
    isDownLeast: downBps >= ALL_CAME * sentBps,
    loss,
    busy: looks.some(({ send }) => send.cpu) || sentBps < UNUSED * Math.min(upBps, FILM_BPS),
  };
}

/** The picture is asked for as large as it is sent. */
const WIDTH = 1280;
const HEIGHT = 720;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function until(holds: () => boolean | Promise<boolean>, limitMs: number): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new ClusterError('DEADLINE');
    await pause(LOOK_MS);
  }
}
