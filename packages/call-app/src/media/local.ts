/**
 * The person's own camera, microphone and screen: which are on, from which device, and why not. Owns every local track:
 * who opens one here stops it here. Knows nothing of a call; `visit/publisher.ts` carries the tracks there.
 */
import type { ErrorCode } from '@veilcast/protocol';
import { remember, remembered } from '../visit/memory.ts';
import { Store } from '../visit/store.ts';
import { listDevices, openDevices, type DeviceKind } from './devices.ts';

export interface DeviceState {
  readonly on: boolean;
  readonly starting: boolean;
  readonly track: MediaStreamTrack | undefined;
  /** Empty: the browser's choice. */
  readonly deviceId: string;
  readonly error: ErrorCode | undefined;
}

export interface LocalState {
  readonly microphone: DeviceState;
  readonly camera: DeviceState;
  readonly screen: MediaStreamTrack | undefined;
  readonly screenAudio: MediaStreamTrack | undefined;
  /** The browser's own dialogue is open. */
  readonly choosingScreen: boolean;
  readonly devices: readonly MediaDeviceInfo[];
  readonly speakerId: string;
}

function off(deviceId: string): DeviceState {
  return { on: false, starting: false, track: undefined, deviceId, error: undefined };
}

export class LocalMedia {
  readonly store = new Store<LocalState>({
    microphone: off(remembered('microphone')),
    camera: off(remembered('camera')),
    screen: undefined,
    screenAudio: undefined,
    choosingScreen: false,
    devices: [],
    speakerId: remembered('speaker'),
  });
  /** Grows with every wish for a device; an opening that ends after a newer wish is thrown away. */
  readonly #wish = { microphone: 0, camera: 0 };

  /** Lives as long as the page. */
  constructor() {
    if ('mediaDevices' in navigator) navigator.mediaDevices.addEventListener('devicechange', () => void this.#list());
    void this.#list();
  }

  /** Opens what is asked for, with one question to the person. */
  async start(wanted: Readonly<Record<DeviceKind, boolean>>): Promise<void> {
    const kinds = (['microphone', 'camera'] as const).filter((kind) => wanted[kind] && !this.store.value[kind].on);
    const wishes = kinds.map((kind) => ({ kind, wish: ++this.#wish[kind] }));
    for (const { kind } of wishes) this.#patch(kind, { starting: true, error: undefined });
    const ids = Object.fromEntries(kinds.map((kind) => [kind, this.store.value[kind].deviceId]));
    const opened = await openDevices(ids);
    for (const { kind, wish } of wishes) this.#settle(kind, wish, opened[kind]);
    await this.#list();
  }

  async set(kind: DeviceKind, on: boolean): Promise<void> {
    const { track } = this.store.value[kind];
    if (on && track === undefined) return this.start({ microphone: kind === 'microphone', camera: kind === 'camera' });
    this.#wish[kind]++;
    // A muted microphone stays open so that it is back at once; a camera that is off lets its light go out.
    if (track && !on && kind === 'camera') {
      track.stop();
      this.#patch(kind, { on, starting: false, track: undefined });
      return;
    }
    if (track) track.enabled = on;
    this.#patch(kind, { on, starting: false });
  }

  async choose(kind: DeviceKind, deviceId: string): Promise<void> {
    remember(kind, deviceId);
    this.#patch(kind, { deviceId });
    const { track, on } = this.store.value[kind];
    if (!track) return;
    const wish = ++this.#wish[kind];
    const opened = await openDevices({ [kind]: deviceId });
    this.#settle(kind, wish, opened[kind], on);
  }

  /** The person has read why the device is off. */
  forget(kind: DeviceKind): void {
    this.#patch(kind, { error: undefined });
  }

  chooseSpeaker(speakerId: string): void {
    remember('speaker', speakerId);
    this.store.patch({ speakerId });
  }

  /** Opens the browser's dialogue. A person who closes it changes nothing. */
  async share(): Promise<void> {
    if (this.store.value.choosingScreen) return;
    this.store.patch({ choosingScreen: true });
    const stream = await navigator.mediaDevices
      .getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: true })
      .catch(() => undefined);
    const [screen] = stream?.getVideoTracks() ?? [];
    const [screenAudio] = stream?.getAudioTracks() ?? [];
    if (screen) {
      screen.contentHint = 'detail';
      screen.addEventListener('ended', () => this.stopSharing(), { once: true });
    }
    this.store.patch({ screen, screenAudio, choosingScreen: false });
  }

  stopSharing(): void {
    const { screen, screenAudio } = this.store.value;
    screen?.stop();
    screenAudio?.stop();
    this.store.patch({ screen: undefined, screenAudio: undefined });
  }

  /** Stops every track; lights go out. */
  stop(): void {
    this.stopSharing();
    for (const kind of ['microphone', 'camera'] as const) {
      this.#wish[kind]++;
      const { track, deviceId } = this.store.value[kind];
      track?.stop();
      this.store.patch({ [kind]: off(deviceId) });
    }
  }

  #settle(kind: DeviceKind, wish: number, opened: MediaStreamTrack | ErrorCode | undefined, on = true): void {
    const track = typeof opened === 'object' ? opened : undefined;
    if (wish !== this.#wish[kind]) {
      track?.stop();
      return;
    }
    const before = this.store.value[kind].track;
    if (before && track) before.stop();
    if (track) {
      track.enabled = on;
      track.addEventListener('ended', () => this.#lost(kind, track), { once: true });
      this.#patch(kind, { track, on, starting: false, error: undefined });
    } else {
      this.#patch(kind, { starting: false, on: before !== undefined && on, error: opened as ErrorCode | undefined });
    }
  }

  /** The device was unplugged, or the system took it away. */
  #lost(kind: DeviceKind, track: MediaStreamTrack): void {
    if (this.store.value[kind].track !== track) return;
    this.#patch(kind, { track: undefined, on: false, error: 'DEVICE_NOT_FOUND' });
  }

  #patch(kind: DeviceKind, change: Partial<DeviceState>): void {
    this.store.patch({ [kind]: { ...this.store.value[kind], ...change } });
  }

  async #list(): Promise<void> {
    this.store.patch({ devices: await listDevices() });
  }
}
