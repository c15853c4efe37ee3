/**
 * The two WebRTC transports of a Peer, one to send and one to receive. A path that breaks is repaired once by an ICE
 * restart; when that does not help the whole call must move, which is not decided here.
 */
import {
  ClusterError,
  TransportId,
  type Admission,
  type Clock,
  type RequestInput,
  type Source,
  type TransportOptions,
} from '@veilcast/protocol';
import { Device, type types } from 'mediasoup-client';
import type { Signaling } from '../socket.ts';

/** After an ICE restart the path has this long to come back. */
const REPAIR_LIMIT_MS = 2_500;
/** `disconnected` comes after seconds of silence and may heal by itself at once; `failed` never does. */
const DISCONNECTED_GRACE_MS = 500;

/** What we attach to every Producer. */
interface ProducerTag extends types.AppData {
  readonly source: Source;
}

export interface TransportsOutside {
  readonly signaling: Signaling;
  readonly clock: Clock;
  /** The path is gone and a restart did not bring it back. Once. */
  failed(error: ClusterError): void;
}

export interface Transports {
  readonly device: Device;
  readonly send: types.Transport;
  readonly receive: types.Transport;
  close(): void;
}

/** @throws ClusterError MEDIA_UNSUPPORTED when mediasoup-client does not know this browser */
export async function openTransports(admission: Admission, outside: TransportsOutside): Promise<Transports> {
  const device = await newDevice();
  await device.load({ routerRtpCapabilities: admission.routerRtpCapabilities });
  const send = device.createSendTransport(optionsOf(admission.sendTransport));
  const receive = device.createRecvTransport(optionsOf(admission.recvTransport));
  for (const transport of [send, receive]) connectVia(transport, outside);
  produceVia(send, outside.signaling);
  const watches = [send, receive].map((transport) => new PathWatch(transport, outside));
  return {
    device,
    send,
    receive,
    close() {
      for (const watch of watches) watch.close();
      send.close();
      receive.close();
    },
  };
}

async function newDevice(): Promise<Device> {
  try {
    return await Device.factory();
  } catch (cause) {
    throw new ClusterError('MEDIA_UNSUPPORTED', 'this browser is not known to the media library', { cause });
  }
}

function optionsOf(options: TransportOptions): types.TransportOptions {
  return options as unknown as types.TransportOptions;
}

/**
 * Goes on without waiting for the answer, which saves a round trip: ICE and the far end's DTLS start when the request is
 * there, and ours repeats its first flight until then.
 */
function connectVia(transport: types.Transport, outside: TransportsOutside): void {
  transport.on('connect', ({ dtlsParameters }, done) => {
    const body = { transportId: TransportId.parse(transport.id), dtlsParameters };
    outside.signaling.request('connectTransport', body).catch((thrown: unknown) => {
      if (!transport.closed) outside.failed(new ClusterError('TRANSPORT_FAILED', undefined, { cause: thrown }));
    });
    done();
  });
}

function produceVia(send: types.Transport, signaling: Signaling): void {
  send.on('produce', ({ kind, rtpParameters, appData }, done, fail) => {
    const { source, paused } = appData as ProducerTag & { readonly paused: boolean };
    const body = { kind, source, paused, rtpParameters: plain(rtpParameters) };
    void settle(signaling.request('produce', body), ({ producerId }) => done({ id: producerId }), fail);
  });
}

/** mediasoup-client takes callbacks where we have promises. */
async function settle<T>(work: Promise<T>, done: (result: T) => void, fail: (error: Error) => void): Promise<void> {
  try {
    done(await work);
  } catch (thrown) {
    fail(ClusterError.of(thrown));
  }
}

type PlainJson = RequestInput<'consume'>['rtpCapabilities'];

/** As JSON sees it: without the `undefined`s that a strict receiver would refuse. */
export function plain(value: object): PlainJson {
  return JSON.parse(JSON.stringify(value)) as PlainJson;
}

/** Watches one transport and repairs it once between two times that it was well. */
class PathWatch {
  readonly #transport: types.Transport;
  readonly #outside: TransportsOutside;
  #cancel: (() => void) | undefined;
  #repairing = false;

  constructor(transport: types.Transport, outside: TransportsOutside) {
    this.#transport = transport;
    this.#outside = outside;
    transport.on('connectionstatechange', (state) => this.#follow(state));
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #follow(state: types.ConnectionState): void {
    if (state === 'connected') {
      this.close();
      this.#repairing = false;
    } else if (state === 'failed') {
      this.close();
      if (this.#repairing) this.#giveUp();
      else void this.#repair();
    } else if (state === 'disconnected' && !this.#repairing && !this.#cancel) {
      this.#cancel = this.#outside.clock.after(DISCONNECTED_GRACE_MS, () => void this.#repair());
    }
  }

  async #repair(): Promise<void> {
    this.#repairing = true;
    this.#cancel = this.#outside.clock.after(REPAIR_LIMIT_MS, () => this.#giveUp());
    try {
      const body = { transportId: TransportId.parse(this.#transport.id) };
      const { iceParameters } = await this.#outside.signaling.request('restartIce', body);
      await this.#transport.restartIce({ iceParameters: iceParameters as unknown as types.IceParameters });
    } catch {
      // The limit above ends this: signaling may be away for a moment too.
    }
  }

  #giveUp(): void {
    this.close();
    if (!this.#transport.closed) this.#outside.failed(new ClusterError('TRANSPORT_FAILED'));
  }
}
