/** Opening a camera or microphone, and what went wrong in the words of the error table. */
import type { ErrorCode } from '@veilcast/protocol';

export type DeviceKind = 'microphone' | 'camera';

/** 720p at 30 frames: what simulcast's three layers are made from. More costs the encoder, less shows on a large tile. */
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } } as const;
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true } as const;

function wanted(kind: DeviceKind, deviceId: string): MediaTrackConstraints {
  const base: MediaTrackConstraints = kind === 'camera' ? CAMERA : MICROPHONE;
  return deviceId === '' ? base : { ...base, deviceId: { ideal: deviceId } };
}

export type Opened = Readonly<Record<DeviceKind, MediaStreamTrack | ErrorCode | undefined>>;

/** Opens what is asked for with one question to the person; where both together fail, each for itself. Never throws. */
export async function openDevices(ids: Readonly<Partial<Record<DeviceKind, string>>>): Promise<Opened> {
  const { microphone, camera } = ids;
  const both = microphone !== undefined && camera !== undefined;
  if (both) {
    const stream = await open({ audio: wanted('microphone', microphone), video: wanted('camera', camera) });
    if (typeof stream !== 'string')
      return { microphone: stream.getAudioTracks()[0], camera: stream.getVideoTracks()[0] };
  }
  return {
    microphone: microphone === undefined ? undefined : await openOne('microphone', microphone),
    camera: camera === undefined ? undefined : await openOne('camera', camera),
  };
}

async function openOne(kind: DeviceKind, deviceId: string): Promise<MediaStreamTrack | ErrorCode | undefined> {
  const constraints = wanted(kind, deviceId);
  const stream = await open(kind === 'camera' ? { video: constraints } : { audio: constraints });
  return typeof stream === 'string' ? stream : stream.getTracks()[0];
}

async function open(constraints: MediaStreamConstraints): Promise<MediaStream | ErrorCode> {
  if (!('mediaDevices' in navigator)) return 'DEVICE_DENIED';
  try {
    return await navigator.mediaDevices.getUserMedia(constraints);
  } catch (thrown) {
    const name = thrown instanceof DOMException ? thrown.name : '';
    return name === 'NotAllowedError' || name === 'SecurityError' ? 'DEVICE_DENIED' : 'DEVICE_NOT_FOUND';
  }
}

/** Every device with a name; empty before the person allowed one. */
export async function listDevices(): Promise<readonly MediaDeviceInfo[]> {
  if (!('mediaDevices' in navigator)) return [];
  const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
  return all.filter((device) => device.deviceId !== '');
}

export function canShareScreen(): boolean {
  return 'mediaDevices' in navigator && 'getDisplayMedia' in navigator.mediaDevices;
}

export function canChooseSpeaker(): boolean {
  return 'setSinkId' in HTMLMediaElement.prototype;
}
