/** Opens the sealed channel `veilcast/1` (ADR 0013) over a socket. Browsers, bots and tests in Node all come in by this door. */
import { ClientHandshake, KIND, type Psk } from '@veilcast/e2ee/channel';
import { keyEncapsulation, type SigningKey } from '@veilcast/e2ee/pq';
import { ClusterError, type Clock } from '@veilcast/protocol';
import { alertOf } from './alert.ts';
import { forgetManifests, manifestOf } from './manifest.ts';
import { SealedWire } from './sealed-wire.ts';
import { openLine, type Line } from './socket-line.ts';
import type { ChannelMemory, Wire } from './wire.ts';

export { lineOver, type Line } from './socket-line.ts';
export type { ChannelMemory, Wire } from './wire.ts';

/** From the socket to a channel. Two round trips and a few ms of computing. */
const HANDSHAKE_MS = 5_000;

export interface WireOptions {
  readonly url: string;
  /** SHA-256 of the manifest's root, hexadecimal digits; undefined: the first that the site shows. */
  readonly pin?: string | undefined;
  /** Without a pin: another process's url, whose root this one's must be too. */
  readonly pinOf?: string | undefined;
  readonly device: SigningKey;
  readonly clock: Clock;
  readonly memory?: ChannelMemory;
  /** Told where the other signaling processes of the cluster are. */
  readonly others?: (urls: readonly string[]) => void;
  /** A line of the caller's own; one is opened where there is none. */
  readonly line?: Promise<Line>;
}

/** @throws ClusterError DISCONNECTED, MANIFEST_INVALID, HANDSHAKE_FAILED, RATE_LIMITED, OVERLOADED, UNSUPPORTED, DEADLINE */
export async function openWire(options: WireOptions): Promise<Wire> {
  const line = options.line ?? openLine(options.url);
  // It may open, or fail, after the manifest has failed.
  line.catch(() => undefined);
  try {
    const manifest = await manifestOf(options.url, options.pin, options.clock.now(), options.pinOf);
    const psk = takePsk(options);
    const handshake = new ClientHandshake({ keyEncapsulation, random, manifest, ...(psk ? { psk } : {}) });
    const [opened, m1] = await Promise.all([line, handshake.start()]);
    return await shake(opened, handshake, m1, options);
  } catch (thrown) {
    void line.then((late) => late.close()).catch(() => undefined);
    if (ClusterError.of(thrown).code === 'HANDSHAKE_FAILED') forgetManifests();
    throw thrown;
  }
}

async function shake(line: Line, handshake: ClientHandshake, m1: Uint8Array, options: WireOptions): Promise<Wire> {
  const { device, clock, memory = {}, others } = options;
  // What comes behind m2, before there is somebody to take it.
  const early: (Uint8Array | undefined)[] = [];
  let take = (bytes: Uint8Array | undefined): void => void early.push(bytes);
  line.onBytes((bytes) => take(bytes));
  let cancel: () => void = nothing;
  const deadline = new Promise<never>((_resolve, reject) => {
    line.onLost(() => reject(new ClusterError('DISCONNECTED')));
    cancel = clock.after(HANDSHAKE_MS, () => reject(new ClusterError('DEADLINE')));
  });
  deadline.catch(nothing);
  const first = new Promise<Uint8Array | undefined>((resolve) => {
    take = (bytes) => {
      take = (next) => void early.push(next);
      resolve(bytes);
    };
  });
  try {
    line.send(m1);
    const m2 = await Promise.race([first, deadline]);
    if (!m2) throw new ClusterError('HANDSHAKE_FAILED');
    if (m2[0] === KIND.alert) throw alertOf(m2);
    const { m3, secrets } = await Promise.race([handshake.receive(m2, device), deadline]);
    const wire = new SealedWire(line, secrets, { clock, memory, others });
    line.send(m3);
    take = (next) => wire.receive(next);
    for (const next of early) wire.receive(next);
    return wire;
  } finally {
    cancel();
  }
}

function nothing(): void {}

function takePsk({ memory, clock }: WireOptions): Psk | undefined {
  const psk = memory?.psk;
  if (memory) memory.psk = undefined;
  return psk && psk.until > clock.now() ? psk : undefined;
}

function random(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}
