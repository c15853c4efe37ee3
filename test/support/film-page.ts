/**
 * A page with the SDK whose cameras and screens are films that it draws itself, so that every browser can show one, and
 * many people of different films can share one browser. Voices are the browser's own made-up microphone, and what is
 * heard is read off the decoder: without a sound card Firefox's AudioContext never starts.
 */
import type { Tab } from './browser.ts';
import { BAND, COLUMNS, codeOf, FPS, HEIGHT, LOOK, readCode, WIDTH, type Look } from './film.ts';
import { serveSdk, type ServedSdk } from './sdk-page.ts';

export interface FilmOptions {
  readonly url: string;
  readonly token: string;
  readonly region: string;
  readonly name: string;
  readonly codec: string;
  readonly actor: number;
  readonly width?: number;
}

/** What a test calls on the page. */
interface FilmApi {
  enter(options: FilmOptions, codes: readonly number[]): Promise<void>;
  share(codes: readonly number[]): Promise<void>;
  look(peerId: string, source: string): Look | undefined;
  loudness(peerId: string): Promise<number>;
  show(peerId: string, width: number): void;
  report(): Promise<unknown>;
  leave(): Promise<void>;
}

/** Draws a film, and reads off a video what the film says. */
export const FILM_SCRIPT = `
const FPS = ${FPS}, COLUMNS = ${COLUMNS}, BAND = ${BAND};
const look = ${LOOK};
function film(codes, width) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = (width * ${HEIGHT}) / ${WIDTH};
  const context = canvas.getContext('2d');
  const stream = canvas.captureStream(FPS);
  let frame = 0;
  const draw = () => {
    const code = codes[frame % codes.length];
    context.fillStyle = '#808080';
    context.fillRect(0, 0, canvas.width, canvas.height);
    for (let column = 0; column < COLUMNS; column++) {
      context.fillStyle = (code >> (COLUMNS - 1 - column)) & 1 ? '#fff' : '#000';
      context.fillRect((column * width) / COLUMNS, 0, width / COLUMNS + 1, canvas.height / BAND);
    }
    context.fillStyle = '#c04020';
    context.fillRect((frame * 8) % (width - 64), canvas.height / BAND, 64, canvas.height);
    frame += 1;
  };
  draw();
  setInterval(draw, 1000 / FPS);
  return stream;
}
`;

const SOURCE = `
import { connect } from '@veilcast/client';
let call;
const shown = new Map();
const connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) {
    super(...options);
    connections.push(this);
  }
};
${FILM_SCRIPT}function shows({ source, track, producerId }, { peerId }) {
  const element = document.createElement(track.kind);
  element.autoplay = true;
  element.muted = track.kind === 'video';
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
  void element.play().catch(() => undefined);
  shown.set(peerId + ' ' + source, { element, track, producerId });
}
window.film = {
  async enter(options, codes) {
    const { actor, width = ${WIDTH}, ...rest } = options;
    const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const voice = await navigator.mediaDevices.getUserMedia({ audio: plain });
    call = await connect(rest);
    call.on('track', shows);
    for (const person of call.snapshot.people) for (const track of person.tracks) shows(track, person);
    await call.publish(new MediaStream([...film(codes, width).getTracks(), ...voice.getTracks()]));
  },
  share: (codes) => call.publish(film(codes, ${WIDTH}), { video: 'screen' }),
  look: (peerId, source) => look(shown.get(peerId + ' ' + source)?.element),
  async loudness(peerId) {
    const id = shown.get(peerId + ' microphone')?.track.id;
    const open = connections.filter(({ connectionState }) => connectionState !== 'closed');
    const stats = await Promise.all(open.map((connection) => connection.getStats()));
    const heard = stats.flatMap((each) => [...each.values()]).find((entry) => entry.trackIdentifier === id);
    return Math.sqrt(heard?.totalAudioEnergy / heard?.totalSamplesDuration) || 0;
  },
  show(peerId, width) {
    const { producerId } = shown.get(peerId + ' camera');
    call.showTiles([{ producerId, width, height: Math.round((width * ${HEIGHT}) / ${WIDTH}), visible: true }]);
  },
  report: async () => ({ ...(await call.report()), error: call.snapshot.error }),
  leave: () => call.leave(),
};
`;

export function serveFilmPage(): Promise<ServedSdk> {
  return serveSdk(SOURCE);
}

/** The codes of one film, a number a frame. */
export function filmOf(actor: number): number[] {
  return Array.from({ length: FPS * 20 }, (_, frame) => codeOf(actor, frame));
}

/** One person on such a page. */
export class Filmed {
  readonly #tab: Tab;
  readonly name: string;

  constructor(tab: Tab, name: string) {
    this.#tab = tab;
    this.name = name;
  }

  async enter(options: FilmOptions): Promise<void> {
    await this.#call('enter', options, filmOf(options.actor));
  }

  async share(actor: number): Promise<void> {
    await this.#call('share', filmOf(actor));
  }

  /** Whose film is seen, which frame of it, and how wide; undefined while there is none. */
  async sees(
    peerId: string,
    source: 'camera' | 'screen' = 'camera',
  ): Promise<{ actor: number; frame: number; width: number } | undefined> {
    const look = (await this.#call('look', peerId, source)) as Look | undefined;
    const code = look && readCode(look.luminances);
    return code && { ...code, width: look.width };
  }

  /** What was decoded so far, its root mean square: 0 to 1. */
  async loudness(peerId: string): Promise<number> {
    return (await this.#call('loudness', peerId)) as number;
  }

  async show(peerId: string, width: number): Promise<void> {
    await this.#call('show', peerId, width);
  }

  async report<T>(): Promise<T> {
    return (await this.#call('report')) as T;
  }

  async leave(): Promise<void> {
    await this.#call('leave');
  }

  /** As text, so that every driver takes it. */
  #call<N extends keyof FilmApi>(name: N, ...args: Parameters<FilmApi[N]>): Promise<unknown> {
    return this.#tab.evaluate(`film.${name}(${args.map((each) => JSON.stringify(each)).join(', ')})`);
  }
}
