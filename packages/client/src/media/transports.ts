/**
 * The two WebRTC transports of a Peer, one to send and one to receive. A path that breaks is repaired once by an ICE
 * restart; when that does not help the whole call must move, which is not decided here.
 */
import {
  ClusterError,
  TransportId,
  type Clock,
  type Place,
  type ProducerId,
  type RequestInput,
  type Source,
  type TransportOptions,
} from '@veilcast/protocol';
import type { Device, types } from 'mediasoup-client';
import { LinkWatch } from '../network/link-watch.ts';
import type { IceServers } from '../network/ice-servers.ts';
import type { Signaling } from '../socket.ts';
import { connectionSettings } from '../transform-kind.ts';
import { newDevice } from './browser-media.ts';
import { PathWatch } from './path-watch.ts';

/** What we attach to every Producer. */
interface ProducerTag extends types.AppData {
  readonly source: Source;
  readonly paused: boolean;
  /** Told of the server's answer as soon as it is asked. */
  readonly asked: (answer: Promise<ProducerId>) => void;
}

export interface TransportsOutside {
  readonly signaling: Signaling;
  readonly clock: Clock;
  readonly ice: IceServers;
  /** The path is gone and a restart did not bring it back. Once. */
  readonly failed: (error: ClusterError) => void;
}

export interface Transports {
  readonly device: Device;
  readonly send: types.Transport;
  readonly receive: types.Transport;
  /** Media goes another way for now: the paths stay as they are. */
  rest(isResting: boolean): void;
  close(): void;
}

/** @throws ClusterError MEDIA_UNSUPPORTED when mediasoup-client does not know this browser */
export async function openTransports(place: Place, outside: TransportsOutside): Promise<Transports> {
  const device = await newDevice();
  await device.load({ routerRtpCapabilities: place.routerRtpCapabilities });
  const send = device.createSendTransport(optionsOf(place.sendTransport, outside));
  const receive = device.createRecvTransport(optionsOf(place.recvTransport, outside));
  for (const transport of [send, receive]) connectVia(transport, outside);
  produceVia(send, outside.signaling);
  const watches = [send, receive].map((transport) => watch(transport, outside));
  return {
    device,
    send,
    receive,
    rest(isResting) {
      for (const path of watches) path.rest(isResting);
    },
    close() {
      for (const path of watches) path.close();
      send.close();
      receive.close();
    },
  };
}

function optionsOf(options: TransportOptions, { ice }: TransportsOutside): types.TransportOptions {
  const described = options as unknown as types.TransportOptions;
  return { ...described, ...ice.configuration, additionalSettings: connectionSettings() };
}

function watch(
  transport: types.Transport,
  { signaling, clock, ice, failed }: TransportsOutside,
): Pick<LinkWatch, 'rest' | 'close'> {
  const path = new PathWatch({
    clock,
    failed: () => failed(new ClusterError('TRANSPORT_FAILED')),
    async restart() {
      // Not before: Chromium restarts ICE by itself at the next offer after its servers have changed.
      const { iceServers } = ice.configuration;
      await transport.updateIceServers({ iceServers });
      const { iceParameters } = await signaling.request('restartIce', { transportId: TransportId.parse(transport.id) });
      await transport.restartIce({ iceParameters: iceParameters as unknown as types.IceParameters });
    },
  });
  transport.on('connectionstatechange', (state) => path.follow(state));
  const link = new LinkWatch({ transport, path, clock, relayOnly: ice.configuration.iceTransportPolicy === 'relay' });
  return {
    rest: (isResting) => link.rest(isResting),
    close() {
      path.close();
      link.close();
    },
  };
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

/**
 * Goes on without waiting for the answer either: what is sent next is negotiated meanwhile, and a picture does not wait for the round trip of a
 * voice. The library gets a name of ours; the server's id is in the answer.
 */
function produceVia(send: types.Transport, signaling: Signaling): void {
  let count = 0;
  send.on('produce', ({ kind, rtpParameters, appData }, done) => {
    const { source, paused, asked } = appData as ProducerTag;
    const body = { kind, source, paused, rtpParameters: plain(rtpParameters) };
    asked(signaling.request('produce', body).then(({ producerId }) => producerId));
    count += 1;
    done({ id: `${source} ${count}` });
  });
}

type PlainJson = RequestInput<'consume'>['rtpCapabilities'];

/** As JSON sees it: without the `undefined`s that a strict receiver would refuse. */
export function plain(value: object): PlainJson {
  return JSON.parse(JSON.stringify(value)) as PlainJson;
}
