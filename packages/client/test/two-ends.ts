/** Two RTCPeerConnections in one page, each with a frame worker of its own; the test hands out the keys. */
import type { PeerId } from '@veilcast/protocol';
import type { Codec } from '@veilcast/sframe';
import { Transforms } from '../src/transforms.ts';
import type { FrameCounts, KeyMessage } from '../src/workers/messages.ts';

const MEMBERS = [
  { peerId: 'alice', leaf: 0 },
  { peerId: 'bob', leaf: 1 },
];

/** One end with its worker. The port stands for the group worker. */
class End {
  readonly pc = new RTCPeerConnection();
  readonly transforms: Transforms;
  readonly keys: MessagePort;
  counts: FrameCounts = { sealed: 0, opened: 0, failures: {} };
  sender: RTCRtpSender | undefined;

  constructor(readonly leaf: number) {
    const { port1, port2 } = new MessageChannel();
    this.keys = port1;
    this.transforms = new Transforms(port2);
    this.transforms.listen({
      counts: (counts) => {
        this.counts = counts;
      },
      wantKeyFrames: () => undefined,
      wantOwnKeyFrames: () => void this.#makeKeyFrame(),
    });
  }

  install(epoch: number, secret: number, switchAfterMs = 0): void {
    this.#post({
      kind: 'epoch',
      epoch,
      baseKey: new Uint8Array(64).fill(secret),
      selfLeaf: this.leaf,
      members: MEMBERS,
      switchAfterMs,
      newGroup: false,
      newcomers: false,
    });
  }

  forget(): void {
    this.#post({ kind: 'forget' });
  }

  stopSealing(): void {
    this.#post({ kind: 'stopSealing' });
  }

  #post(message: KeyMessage): void {
    this.keys.postMessage(message);
  }

  async #makeKeyFrame(): Promise<void> {
    if (!this.sender) return;
    const parameters = this.sender.getParameters();
    const options = { encodingOptions: parameters.encodings.map(() => ({ keyFrame: true })) };
    await this.sender.setParameters(parameters, options);
  }
}

interface Lab {
  readonly alice: End;
  readonly bob: End;
  readonly stop: () => void;
}

interface LabOptions {
  /** Whose frames Bob is told they are. */
  readonly from?: string;
  readonly codec?: Codec;
  readonly encodings?: RTCRtpEncodingParameters[];
}

async function connectEnds({ from = 'alice', codec = 'vp8', encodings }: LabOptions = {}): Promise<Lab> {
  const [alice, bob] = [new End(0), new End(1)];
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
  alice.pc.onicecandidate = ({ candidate }) => void (candidate && bob.pc.addIceCandidate(candidate));
  bob.pc.onicecandidate = ({ candidate }) => void (candidate && alice.pc.addIceCandidate(candidate));
  bob.pc.ontrack = ({ track, receiver }) => {
    const video = track.kind === 'video';
    // Sound is decoded only while somebody plays it.
    const player = document.createElement(video ? 'video' : 'audio');
    player.srcObject = new MediaStream([track]);
    void player.play();
    bob.transforms.open(receiver, {
      consumerId: track.kind,
      peerId: from as PeerId,
      source: video ? 'camera' : 'microphone',
      codec: video ? codec : 'opus',
    });
  };
  for (const track of stream.getTracks()) {
    const video = track.kind === 'video';
    const layers = video && encodings !== undefined ? { sendEncodings: encodings } : {};
    const transceiver = alice.pc.addTransceiver(track, { direction: 'sendonly', ...layers });
    const { sender } = transceiver;
    alice.transforms.seal(sender, video ? 'camera' : 'microphone', video ? codec : 'opus');
    if (!video) continue;
    alice.sender = sender;
    const known = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
    const mimeTypes = [`video/${codec}`, 'video/rtx'];
    transceiver.setCodecPreferences(known.filter(({ mimeType }) => mimeTypes.includes(mimeType.toLowerCase())));
  }
  await alice.pc.setLocalDescription();
  await bob.pc.setRemoteDescription(alice.pc.localDescription!);
  await bob.pc.setLocalDescription();
  await alice.pc.setRemoteDescription(bob.pc.localDescription!);
  const stop = () => {
    for (const track of stream.getTracks()) track.stop();
    for (const end of [alice, bob]) {
      end.pc.close();
      end.transforms.close();
    }
  };
  return { alice, bob, stop };
}

/** What left Alice and what Bob could decode, so far. */
async function figures({ alice, bob }: Lab) {
  const sum = { codec: '', packetsSent: 0, framesEncoded: 0, framesDecoded: 0, framesReceived: 0, heard: 0 };
  const sent = await alice.pc.getStats();
  for (const entry of sent.values()) {
    if (entry.type !== 'outbound-rtp') continue;
    sum.packetsSent += entry.packetsSent;
    if (entry.kind === 'video') sum.codec = `${mimeTypeOf(sent, entry.codecId)} ${entry.scalabilityMode ?? ''}`.trim();
    sum.framesEncoded += entry.framesEncoded ?? 0;
  }
  for (const entry of (await bob.pc.getStats()).values()) {
    if (entry.type !== 'inbound-rtp') continue;
    sum.framesDecoded += entry.framesDecoded ?? 0;
    sum.framesReceived += entry.framesReceived ?? 0;
    // Energy of what was really decoded; silence and concealment have none.
    sum.heard += entry.totalAudioEnergy ?? 0;
  }
  return { ...sum, alice: alice.counts, bob: bob.counts };
}

function mimeTypeOf(stats: RTCStatsReport, codecId: string): string {
  const entry = Array.from(stats.values()).find(({ id }) => id === codecId) as { mimeType?: string } | undefined;
  return entry?.mimeType ?? '';
}

const lab = { connectEnds, figures };
export type LabApi = typeof lab;
Object.assign(globalThis, { lab });
