/**
 * What this browser can send and receive, asked of it once a page. The answer takes two connections, and the first connection
 * of a page starts the browser's media threads: 40 to 100 ms that need not lie behind the click on Join.
 */
import { Device, detectDeviceAsync, type types } from 'mediasoup-client';
import { Chrome111 } from 'mediasoup-client/handlers/Chrome111';
import { Chrome74 } from 'mediasoup-client/handlers/Chrome74';
import { Firefox120 } from 'mediasoup-client/handlers/Firefox120';
import { ReactNative106 } from 'mediasoup-client/handlers/ReactNative106';
import { Safari12 } from 'mediasoup-client/handlers/Safari12';
import { ClusterError } from '@veilcast/protocol';

const HANDLERS = { Chrome111, Chrome74, Firefox120, ReactNative106, Safari12 } as const;

let asked: Promise<types.HandlerFactory> | undefined;

/** Asks ahead. What fails is asked again when it is needed. */
export function askBrowser(): void {
  void browserMedia()
    .then((media) =>
      Promise.all([
        media.getNativeRtpCapabilities({ direction: 'recvonly' }),
        media.getNativeRtpCapabilities({ direction: 'sendonly' }),
      ]),
    )
    .catch(() => undefined);
}

/** A Device that is not loaded yet. @throws ClusterError MEDIA_UNSUPPORTED when mediasoup-client does not know this browser */
export async function newDevice(): Promise<Device> {
  return new Device({ handlerFactory: await browserMedia() });
}

function browserMedia(): Promise<types.HandlerFactory> {
  asked ??= detectDeviceAsync().then((name) => {
    if (!name) throw new ClusterError('MEDIA_UNSUPPORTED', 'this browser is not known to the media library');
    return remembering(HANDLERS[name].createFactory({}));
  });
  return asked;
}

type Direction = types.HandlerGetNativeRtpCapabilitiesOptions['direction'];

/** The same, with answers that are kept; a Device copies what it is given. */
export function remembering(factory: types.HandlerFactory): types.HandlerFactory {
  const answers = new Map<Direction, Promise<types.RtpCapabilities>>();
  return {
    ...factory,
    getNativeRtpCapabilities(options) {
      const known = answers.get(options.direction);
      if (known) return known;
      const answer = factory.getNativeRtpCapabilities(options);
      answers.set(options.direction, answer);
      answer.catch(() => answers.delete(options.direction));
      return answer;
    },
  };
}
