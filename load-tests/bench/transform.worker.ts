/** In a browser's worker: seals and opens frames one after another, as the frame worker of a call does, and takes the time. */
import { Keyring, type FrameContext } from '@veilcast/sframe';

/** Frames between two looks at the clock, which browsers keep coarse. */
const BATCH = 200;
const PEER = 'peer_a';

export interface TransformTask {
  readonly bytes: number;
  readonly batches: number;
  readonly warmUp: number;
}
/** µs a frame, one of each batch. */
export interface TransformTimes {
  readonly seal: number[];
  readonly open: number[];
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

async function measure({ bytes, batches, warmUp }: TransformTask): Promise<TransformTimes> {
  const sealer = (await keyring(0)).sealer(0);
  const opener = (await keyring(1)).opener({ peer: PEER });
  const context: FrameContext = { codec: 'vp8', keyFrame: false };
  const frame = crypto.getRandomValues(new Uint8Array(bytes));
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
  return { seal, open };
}

onmessage = ({ data }: MessageEvent<TransformTask>) => {
  measure(data).then(
    (times) => postMessage({ times }),
    (error: unknown) => postMessage({ error: String(error) }),
  );
};
