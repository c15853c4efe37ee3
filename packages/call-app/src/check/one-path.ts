/**
 * Lets this page's connections go by one rung of the ladder alone: what else the server offers is not shown to the browser. The SDK knows nothing of
 * it and does what it always does, so that what is checked is what a call would use.
 */

export type Rung = 'udp' | 'tcp' | 'turnUdp' | 'turnTcp' | 'turnTls';

/** Of the connections that are made now, for as long as they live. Undefined: every way, as in a call. */
let only: Rung | undefined;
/** Every TURN server that the page was ever told of. */
const offered = new Set<string>();

const SCHEMES: Readonly<Record<Exclude<Rung, 'udp' | 'tcp'>, RegExp>> = {
  turnUdp: /^turn:(?!.*transport=tcp)/,
  turnTcp: /^turn:.*transport=tcp/,
  turnTls: /^turns:/,
};

const isRelay = (rung: Rung | undefined): rung is keyof typeof SCHEMES =>
  rung !== undefined && rung !== 'udp' && rung !== 'tcp';

function narrowed(rung: Rung | undefined, configuration: RTCConfiguration = {}): RTCConfiguration {
  for (const { urls } of configuration.iceServers ?? []) for (const url of [urls].flat()) offered.add(url);
  if (rung === undefined) return configuration;
  if (!isRelay(rung)) return { ...configuration, iceServers: [], iceTransportPolicy: 'all' };
  const scheme = SCHEMES[rung];
  const iceServers = (configuration.iceServers ?? []).flatMap((server) => {
    const urls = [server.urls].flat().filter((url) => scheme.test(url));
    return urls.length > 0 ? [{ ...server, urls }] : [];
  });
  return { ...configuration, iceServers, iceTransportPolicy: 'relay' };
}

/** The server's own addresses by another protocol are left out. Relays reach it by UDP. */
function narrowedSdp(rung: Rung | undefined, sdp: string): string {
  if (rung === undefined) return sdp;
  const protocol = rung === 'tcp' ? 'tcp' : 'udp';
  const isOther = (line: string): boolean => {
    const candidate = /^a=candidate:\S+ \d+ (\w+) /.exec(line);
    return candidate !== null && candidate[1]?.toLowerCase() !== protocol;
  };
  return sdp
    .split('\r\n')
    .filter((line) => !isOther(line))
    .join('\r\n');
}

/** Once a page, before its first connection. */
export function watchPaths(): void {
  const Original = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Original {
    readonly #rung = only;

    constructor(configuration?: RTCConfiguration) {
      super(narrowed(only, configuration));
    }

    override setConfiguration(configuration?: RTCConfiguration): void {
      super.setConfiguration(narrowed(this.#rung, configuration));
    }

    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      return super.setRemoteDescription({
        type: description.type,
        sdp: narrowedSdp(this.#rung, description.sdp ?? ''),
      });
    }
  };
}

/** Connections that are made while `work` runs go by this rung. One at a time. */
export async function onlyBy<T>(rung: Rung, work: () => Promise<T>): Promise<T> {
  only = rung;
  try {
    return await work();
  } finally {
    only = undefined;
  }
}

/** Whether there is anything to go by. Of relays that is known once a call was joined by another way. */
export function hasServer(rung: Rung): boolean {
  return !isRelay(rung) || [...offered].some((url) => SCHEMES[rung].test(url));
}
