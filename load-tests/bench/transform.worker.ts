/** In a browser's worker: seals and opens frames one after another, as the frame worker of a call does, and takes the time. */
import { Keyring, type Codec } from '@veilcast/sframe';

/** Frames between two looks at the clock, which browsers keep coarse. */
const BATCH = 200;
const PEER = 'peer_a';

export interface TransformTask {
  readonly codec: Codec;
  readonly bytes: number;
  readonly batches: number;
  readonly warmUp: number;
}
/** µs a frame, one of each batch. */
export interface TransformTimes {
  readonly seal: number[];
  readonly open: number[];
  /** Bytes that a sealed frame is longer. */
  readonly overhead: number;
}

/** What this many senders' frames of a second take to open: share of a core, one of each second. */
export interface CrowdTask {
  readonly senders: number;
  readonly framesPerSecond: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly codec: Codec;
}
export interface CrowdTimes {
  readonly shares: number[];
}

/** A delta frame as its codec lays it out: of H.264 one slice behind a delimiter, of AV1 one OBU. The rest is noise. */
function frameOf(codec: Codec, bytes: number): Uint8Array {
  const noise = crypto.getRandomValues(new Uint8Array(bytes));
  // Noise of an encoder is escaped already: a 00 would only make start codes here.
  const picture = noise.map((byte) => byte || 1);
  const front = {
    opus: [],
    vp8: [1],
    vp9: [],
    h264: [0, 0, 0, 1, 9, 48, 0, 0, 0, 1, 0x41, 0x9a],
    av1: [0x12, 0, 0x32, ((bytes - 5) & 127) | 128, (bytes - 5) >> 7],
  }[codec];
  return Uint8Array.of(...front, ...picture.subarray(front.length));
}

async function keyring(selfLeaf: number): Promise<Keyring> {
  const ring = new Keyring();
  const baseKey = new Uint8Array(64).fill(7);
  const members = new Map([
    [0, PEER],
    [1, 'peer_b'],
  ]);
  await ring.install({ epoch: 1, baseKey, selfLeaf, members }, performance.now());
  return ring;
}

async function measure({ codec, bytes, batches, warmUp }: TransformTask): Promise<TransformTimes> {
  const sealer = (await keyring(0)).sealer(0);
  const opener = (await keyring(1)).opener({ peer: PEER });
  const context = { codec, keyFrame: false };
  const frame = frameOf(codec, bytes);
  let overhead = 0;
  const seal: number[] = [];
  const open: number[] = [];
  for (let batch = -warmUp; batch < batches; batch++) {
    const sealed: Uint8Array[] = [];
    const began = performance.now();
    for (let index = 0; index < BATCH; index++) {
      const outcome = await sealer.seal(frame, context, performance.now());
      if (outcome.kind !== 'sealed') throw new Error(`not sealed: ${outcome.reason}`);
      sealed.push(outcome.bytes);
    }
    overhead = Math.max(...sealed.map(({ length }) => length - bytes));
    const between = performance.now();
    for (const each of sealed) {
      const outcome = await opener.open(each, context, performance.now());
      if (outcome.kind !== 'opened') throw new Error(`not opened: ${outcome.reason}`);
    }
    const ended = performance.now();
    if (batch < 0) continue;
    seal.push(((between - began) * 1_000) / BATCH);
    open.push(((ended - between) * 1_000) / BATCH);
  }
  return { seal, open, overhead };
}

/** Opens the frames of every sender as fast as it can; what a second of them takes is their share of a core. */
async function crowd({ codec, senders, framesPerSecond, bytes, seconds }: CrowdTask): Promise<CrowdTimes> {
  const sealing = await keyring(0);
  const opening = await keyring(1);
  const openers = Array.from({ length: senders }, () => opening.opener({ peer: PEER }));
  const frame = frameOf(codec, bytes);
  const shares: number[] = [];
  for (let second = -1; second < seconds; second++) {
    const sealed: Uint8Array[] = [];
    for (let index = 0; index < framesPerSecond; index++) {
      const outcome = await sealing.sealer(4).seal(frame, { codec, keyFrame: false }, performance.now());
      if (outcome.kind === 'sealed') sealed.push(outcome.bytes);
    }
    const began = performance.now();
    for (const each of sealed) {
      const opened = await Promise.all(openers.map((opener) => opener.open(each, { codec }, performance.now())));
      if (opened.some(({ kind }) => kind !== 'opened')) throw new Error('not opened');
    }
    if (second >= 0) shares.push((performance.now() - began) / 10);
  }
  return { shares };
}

onmessage = ({ data }: MessageEvent<TransformTask | CrowdTask>) => {
  const times: Promise<TransformTimes | CrowdTimes> = 'senders' in data ? crowd(data) : measure(data);
  times.then(
    (times) => postMessage({ times }),
    (error: unknown) => postMessage({ error: String(error) }),
  );
};
