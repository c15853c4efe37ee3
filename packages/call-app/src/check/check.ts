/** One run of the check: every row in its order, each with what is being done while it takes long. What one row finds never stops the next. */
import { ClusterError, type ErrorCode } from '@veilcast/protocol';
import { openDevices, type DeviceKind } from '../media/devices.ts';
import { meter } from '../media/level.ts';
import { Store } from '../visit/store.ts';
import { errorWords, t } from '../words/words.ts';
import { codecsOf, nativePostQuantum, transformOf } from './browser.ts';
import type { Rung } from './one-path.ts';
import { regionTimes } from './regions.ts';
import { NOTHING_YET, type Row, type RowName, type Rows } from './result.ts';
import { CheckRoom } from './room.ts';
import { Tone } from './tone.ts';

export interface CheckState {
  readonly rows: Rows;
  readonly running: boolean;
  /** Every row but the speaker's, which waits for its person, has a result. */
  readonly done: boolean;
  readonly camera: MediaStreamTrack | undefined;
  readonly microphone: MediaStreamTrack | undefined;
}

/** A word is said within that. */
const HEARD_MS = 4_000;
/** Louder than a quiet room. */
const HEARD_LEVEL = 0.15;
/** Bits a second of a call with a picture of 720p, of one of 360p, and of sound alone. */
const WANTS = { all: 2_000_000, some: 400_000, sound: 50_000 } as const;
/** UDP before the speed is measured by it, relays when it is known whether there are any. */
const RUNGS: readonly Rung[] = ['tcp', 'udp', 'turnUdp', 'turnTcp', 'turnTls'];
const BEST_FIRST: readonly Rung[] = ['udp', 'tcp', 'turnUdp', 'turnTcp', 'turnTls'];
/** From here on a conversation has pauses. */
const FAR_MS = 250;

export class Check {
  readonly store = new Store<CheckState>({
    rows: NOTHING_YET,
    running: false,
    done: false,
    camera: undefined,
    microphone: undefined,
  });
  readonly #tone = new Tone();
  #room: CheckRoom | undefined;

  async run(): Promise<void> {
    if (this.store.value.running) return;
    this.stop();
    this.store.set({ ...this.store.value, rows: NOTHING_YET, running: true, done: false });
    await this.#devices();
    await this.#browser();
    await this.#step('regions', 'check.doing.regions', () => this.#regions());
    await this.#cluster();
    this.store.patch({ running: false, done: true });
  }

  /** The tone; the person answers with `heard`. */
  async play(): Promise<void> {
    this.#put('speaker', { outcome: 'running', what: t('check.speaker.playing') });
    await this.#tone.play();
    this.#put('speaker', { outcome: 'waiting', what: t('check.speaker.ask') });
  }

  heard(heard: boolean): void {
    const what = t(heard ? 'check.speaker.heard' : 'check.speaker.silent');
    this.#put('speaker', {
      outcome: heard ? 'good' : 'failed',
      what,
      ...(heard ? {} : { next: t('check.speaker.next') }),
      figures: { heard },
    });
  }

  /** Lights go out, and the Room goes. */
  stop(): void {
    const { camera, microphone } = this.store.value;
    camera?.stop();
    microphone?.stop();
    this.store.patch({ camera: undefined, microphone: undefined });
    void this.#room?.close();
    this.#room = undefined;
  }

  async #devices(): Promise<void> {
    this.#put('camera', { outcome: 'running', what: t('check.doing.device') });
    this.#put('microphone', { outcome: 'running', what: t('check.doing.device') });
    const { camera, microphone } = await openDevices({ camera: '', microphone: '' });
    if (typeof camera === 'object') {
      this.store.patch({ camera });
      const { width = 0, height = 0 } = camera.getSettings();
      this.#put('camera', {
        outcome: 'good',
        what: t('check.camera.good', { width, height }),
        figures: { width, height },
      });
    } else this.#put('camera', refused('camera', camera));
    if (typeof microphone !== 'object') return this.#put('microphone', refused('microphone', microphone));
    this.store.patch({ microphone });
    this.#put('microphone', { outcome: 'running', what: t('check.microphone.speak') });
    void this.#listen(microphone);
  }

  /** Beside the other rows: nobody waits for a word. */
  async #listen(track: MediaStreamTrack): Promise<void> {
    const loudest = await new Promise<number>((resolve) => {
      let most = 0;
      const end = (): void => {
        stop();
        clearTimeout(timer);
        resolve(most);
      };
      const timer = setTimeout(end, HEARD_MS);
      const stop = meter(track, (level) => {
        most = Math.max(most, level);
        if (most >= HEARD_LEVEL) setTimeout(end, 0);
      });
    });
    const heard = loudest >= HEARD_LEVEL;
    this.#put('microphone', {
      outcome: heard ? 'good' : 'warn',
      what: t(heard ? 'check.microphone.good' : 'check.microphone.silent'),
      ...(heard ? {} : { next: t('check.microphone.next') }),
      figures: { heard },
    });
  }

  async #browser(): Promise<void> {
    const transform = transformOf();
    this.#put(
      'encryption',
      transform === 'none'
        ? {
            outcome: 'failed',
            what: errorWords('MEDIA_UNSUPPORTED').what,
            next: errorWords('MEDIA_UNSUPPORTED').next,
            figures: { transform },
          }
        : { outcome: 'good', what: t(`check.encryption.${transform}`), figures: { transform } },
    );
    const { mlKem, mlDsa } = await nativePostQuantum();
    const isNative = mlKem && mlDsa;
    this.#put('postQuantum', {
      outcome: 'good',
      what: t(isNative ? 'check.postQuantum.native' : 'check.postQuantum.ours'),
      figures: { mlKemNative: mlKem, mlDsaNative: mlDsa },
    });
    const { sends, receives } = codecsOf();
    const list = new Intl.ListFormat('en', { type: 'conjunction' });
    this.#put(
      'codecs',
      sends.length > 0 && receives.length > 0
        ? {
            outcome: 'good',
            what: t('check.codecs.good', { sends: list.format(sends), receives: list.format(receives) }),
            figures: { sends, receives },
          }
        : {
            outcome: 'failed',
            what: t('check.codecs.none'),
            next: errorWords('MEDIA_UNSUPPORTED').next,
            figures: { sends, receives },
          },
    );
  }

  async #regions(): Promise<Row> {
    const times = await regionTimes();
    const [nearest] = times;
    if (!nearest) return { outcome: 'failed', what: t('check.regions.none'), next: t('check.regions.next') };
    const all = times.map(({ region, rttMs }) => t('check.regions.one', { region, ms: Math.round(rttMs) }));
    return {
      outcome: nearest.rttMs > FAR_MS ? 'warn' : 'good',
      what: all.join(', '),
      ...(nearest.rttMs > FAR_MS ? { next: t('check.regions.far') } : {}),
      figures: Object.fromEntries(times.map(({ region, rttMs }) => [`${region}Ms`, Math.round(rttMs)])),
    };
  }

  async #cluster(): Promise<void> {
    const room = (this.#room = new CheckRoom());
    try {
      const isIn = await this.#step('signaling', 'check.doing.signaling', async () => {
        const { ms } = await room.open();
        return {
          outcome: 'good',
          what: t('check.signaling.good', { seconds: secondsOf(ms) }),
          figures: { joinMs: ms },
        };
      });
      if (!isIn) {
        for (const name of [...RUNGS, 'bandwidth'] as const)
          this.#put(name, { outcome: 'none', what: t('check.skipped') });
        return;
      }
      const good = new Set<Rung>();
      for (const rung of RUNGS)
        if (await this.#step(rung, `check.doing.${rung}`, () => this.#rung(room, rung))) good.add(rung);
      const works = BEST_FIRST.find((rung) => good.has(rung));
      if (works === undefined) {
        this.#put('bandwidth', { outcome: 'none', what: t('check.skipped') });
        return;
      }
      await this.#step('bandwidth', 'check.doing.bandwidth', () => this.#bandwidth(room, works));
    } finally {
      await room.close();
    }
  }

  async #rung(room: CheckRoom, rung: Rung): Promise<Row> {
    const found = await room.by(rung);
    if (!found) return { outcome: 'none', what: t('check.rung.none') };
    const { ms, rttMs, by } = found;
    const figures = { by, firstPictureMs: ms, ...(rttMs === null ? {} : { rttMs: Math.round(rttMs) }) };
    return { outcome: 'good', what: t('check.rung.good', { seconds: secondsOf(ms) }), figures };
  }

  async #bandwidth(room: CheckRoom, rung: Rung): Promise<Row> {
    const told = (second: number, of: number): void =>
      this.#put('bandwidth', { outcome: 'running', what: t('check.bandwidth.doing', { second, of }) });
    const { upBps, downBps, isDownLeast, loss, busy } = await room.bandwidth(rung, told);
    const least = Math.min(upBps, isDownLeast ? Infinity : downBps);
    const figures = {
      upKbps: Math.round(upBps / 1_000),
      downKbps: Math.round(downBps / 1_000),
      downAtLeast: isDownLeast,
      lossPercent: Math.round(loss * 100),
      busy,
    };
    const speeds = { up: megabits(upBps), down: megabits(downBps) };
    const what = t(isDownLeast ? 'check.bandwidth.least' : 'check.bandwidth.both', speeds);
    if (least >= WANTS.all && busy) return { outcome: 'warn', what, next: t('check.bandwidth.busy'), figures };
    if (least >= WANTS.all) return { outcome: 'good', what: `${what} ${t('check.bandwidth.all')}`, figures };
    if (least >= WANTS.some) return { outcome: 'good', what: `${what} ${t('check.bandwidth.some')}`, figures };
    if (least >= WANTS.sound) return { outcome: 'warn', what, next: t('check.bandwidth.sound'), figures };
    return { outcome: 'failed', what, next: t('check.bandwidth.little'), figures };
  }

  /** Says what it does, and then what it found. False: it failed, or there was nothing to find. */
  async #step(name: RowName, doing: `check.doing.${RowName}`, find: () => Promise<Row>): Promise<boolean> {
    this.#put(name, { outcome: 'running', what: t(doing as 'check.doing.udp') });
    const row = await find().catch((thrown: unknown) => failure(name, ClusterError.of(thrown).code));
    this.#put(name, row);
    return row.outcome === 'good' || row.outcome === 'warn';
  }

  #put(name: RowName, row: Row): void {
    this.store.patch({ rows: { ...this.store.value.rows, [name]: row } });
  }
}

function refused(kind: DeviceKind, code: ErrorCode | undefined): Row {
  const words = errorWords(code ?? 'DEVICE_NOT_FOUND');
  return { outcome: 'failed', what: t(`check.${kind}.failed`), next: words.next, figures: { code: code ?? '' } };
}

/** A rung that does not work is only bad where no other does: each says what its network would have to let through. */
function failure(name: RowName, code: ErrorCode): Row {
  const isRung = (RUNGS as readonly string[]).includes(name);
  const { what, next } = errorWords(code);
  if (!isRung)
    return {
      outcome: 'failed',
      what,
      next: name === 'signaling' ? t('check.signaling.next') : next,
      figures: { code },
    };
  const rung = name as Rung;
  return { outcome: 'failed', what: t('check.rung.failed'), next: t(`check.rung.next.${rung}`), figures: { code } };
}

function secondsOf(ms: number): string {
  return (ms / 1_000).toFixed(1);
}

function megabits(bps: number): string {
  return (bps / 1_000_000).toFixed(1);
}
