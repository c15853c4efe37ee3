/**
 * A page on which the SDK runs alone behind a stretch of slow network: every UDP packet between its browser and the cluster's nodes
 * goes through links of the test's, and there is no other way. It speaks without a pause, so that a gap in the sound is one of the network.
 */
import { udpLink, type Impairment, type UdpLink } from '@veilcast/testkit';
import type { Page } from 'playwright-core';
import type { ClusterLab } from './cluster.ts';

export const SLOW_MODULE = `
const paths = [];
class Linked extends RTCPeerConnection {
  constructor(...options) {
    super(...options);
    paths.push(this);
  }
  async setRemoteDescription(description) {
    const lines = [];
    for (const line of description.sdp.split('\\r\\n')) {
      const [, udp, port] = /^(a=candidate:\\S+ \\d \\w+ \\d+ \\S+) (\\d+) /.exec(line) ?? [];
      if (udp === undefined) lines.push(line);
      else if (/ udp /i.test(udp)) lines.push(line.replace(udp + ' ' + port, udp + ' ' + (await linkedPort(Number(port)))));
    }
    return super.setRemoteDescription({ type: description.type, sdp: lines.join('\\r\\n') });
  }
}
globalThis.RTCPeerConnection = Linked;
const { connect } = await import('@veilcast/client');

/** A voice without pauses: DTX has nothing to leave out. */
function voice() {
  const context = new AudioContext();
  const out = context.createMediaStreamDestination();
  for (const [tone, swing] of [[220, 3], [480, 5], [1300, 7]]) {
    const [source, wave, gain, depth] = [context.createOscillator(), context.createOscillator(), context.createGain(), context.createGain()];
    source.type = 'sawtooth';
    source.frequency.value = tone;
    wave.frequency.value = swing;
    depth.gain.value = 0.05;
    gain.gain.value = 0.12;
    wave.connect(depth).connect(gain.gain);
    source.connect(gain).connect(out);
    source.start();
    wave.start();
  }
  return out.stream;
}

let call;
const shown = new Map();
function show({ track, producerId }) {
  const element = document.createElement(track.kind);
  element.autoplay = true;
  element.srcObject = new MediaStream([track]);
  document.body.append(element);
  if (track.kind === 'video') shown.set(producerId, element);
  call.showTiles([...shown.keys()].map((id) => ({ producerId: id, width: 1280, height: 720, visible: true })));
}

async function entries(of) {
  const reports = await Promise.all(paths.filter((path) => path.connectionState !== 'closed').map((path) => path.getStats()));
  return reports.flatMap((report) => [...report.values()]).filter(({ type }) => type === of);
}

globalThis.slow = {
  async enter(name, sends) {
    // Two in a Room could do without a node; here the way to it is what is slow.
    call = await connect({ ...globalThis.example, name, peerToPeer: false });
    call.on('track', show);
    for (const { tracks } of call.snapshot.people) for (const track of tracks) show(track);
    if (!sends) return;
    const camera = await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 360, frameRate: 20 } });
    await call.publish(new MediaStream([...voice().getTracks(), ...camera.getTracks()]));
  },
  async look() {
    const report = await call.report();
    const [person] = report.peers;
    const [pair] = (await entries('candidate-pair')).filter(({ availableOutgoingBitrate }) => availableOutgoingBitrate);
    const out = (await entries('outbound-rtp')).map(({ kind, rid, bytesSent, headerBytesSent, packetsSent, framesPerSecond, frameHeight, targetBitrate, active }) =>
      ({ kind, rid, bytesSent, headerBytesSent, packetsSent, framesPerSecond, frameHeight, targetBitrate, active }));
    const [sound] = (await entries('inbound-rtp')).filter(({ kind }) => kind === 'audio');
    return {
      at: performance.now(),
      audio: person?.audio,
      video: person?.video,
      sound: sound && { bytes: sound.bytesReceived, packets: sound.packetsReceived, lost: sound.packetsLost, discarded: sound.packetsDiscarded },
      available: pair?.availableOutgoingBitrate,
      adaptation: report.adaptation,
      out,
    };
  },
};
`;

export interface SlowPage {
  readonly page: Page;
  impair(impairment: Impairment): void;
  close(): Promise<void>;
}

/** Enters the Room, and sends where `sends`. */
export async function openSlow(lab: ClusterLab, room: string, name: string, sends: boolean): Promise<SlowPage> {
  const links = new Map<number, Promise<UdpLink>>();
  let impairment: Impairment = {};
  const linkOf = async (port: number): Promise<UdpLink> => {
    const link = await udpLink({ port });
    link.impair(impairment);
    return link;
  };
  const page = await lab.open(room, async (context) => {
    await context.exposeFunction('linkedPort', async (port: number) => {
      const link = links.get(port) ?? linkOf(port);
      links.set(port, link);
      return (await link).nearPort;
    });
  });
  await page.waitForFunction('"slow" in globalThis');
  await page.evaluate(`slow.enter(${JSON.stringify(name)}, ${sends})`);
  return {
    page,
    impair: (to) => {
      impairment = to;
      for (const link of links.values()) void link.then((one) => one.impair(to));
    },
    close: async () => {
      await page.context().close();
      for (const link of links.values()) (await link).close();
    },
  };
}
