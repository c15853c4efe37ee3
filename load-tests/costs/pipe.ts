/** What a Pipe costs: a source at a node without Pipes and at one with some, in turns; the difference is what sending into them takes. */
import { cluster } from '../../sfu-node/test/cluster.ts';
import { openPlace, openSource, type Place } from '../bench/pipe-hop.ts';
import { cpuNs } from '../bench/cpu.ts';
import type { Effort, Say } from '../bench/figure.ts';
import { startViewers } from '../bench/viewer.ts';
import { taken, type Measurement, type Taken } from './measure.ts';

const EFFORTS = { full: { pipes: 4, rounds: 12, pictures: 60 }, tiny: { pipes: 1, rounds: 1, pictures: 10 } } as const;
/** 300 packets a second of 1,100 bytes. */
const STREAM = {
  ssrc: 0x0a0b0c0d,
  payloadType: 101,
  picturesPerS: 30,
  packetsPerFrame: 10,
  packetBytes: 1_100,
  keyEvery: 60,
} as const;
const SETTLE_MS = 300;

async function run(effort: Effort, say: Say): Promise<readonly Taken[]> {
  const { pipes, rounds, pictures } = EFFORTS[effort];
  const viewers = await startViewers();
  const clusters = [cluster(), cluster()];
  try {
    const [plain, piped] = clusters as [ReturnType<typeof cluster>, ReturnType<typeof cluster>];
    const alone = await openPlace(plain, 'eu-1');
    const near = await openPlace(piped, 'eu-1');
    const far: Place[] = [];
    for (let n = 1; n <= pipes; n++) far.push(await openPlace(piped, `us-${n}`));
    const ports = [await openSource(plain, alone, []), await openSource(piped, near, far)];
    let sent = 0;
    const round = async (port: number, places: readonly Place[]): Promise<number[]> => {
      const cpu = () => Promise.all(places.map(({ workerPid }) => cpuNs(workerPid)));
      const before = await cpu();
      const firstSequence = (1 + sent * STREAM.packetsPerFrame) & 0xffff;
      const { packets } = await viewers.send({ ...STREAM, port, pictures, firstPicture: sent, firstSequence });
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return (await cpu()).map((ns, n) => (ns - (before[n] ?? 0)) / packets / 1_000);
    };
    const [send, receive]: [number[], number[]] = [[], []];
    for (let n = 0; n <= rounds; n++) {
      const [without = 0] = await round(ports[0] ?? 0, [alone]);
      const [with_ = 0, ...theirs] = await round(ports[1] ?? 0, [near, ...far]);
      sent += pictures;
      // The first of each warms up.
      if (n === 0) continue;
      send.push((with_ - without) / pipes);
      receive.push(theirs.reduce((sum, one) => sum + one, 0) / pipes);
      say(`round ${n}: ${send.at(-1)?.toFixed(2)} µs into a Pipe, ${receive.at(-1)?.toFixed(2)} µs out of it`);
    }
    const from = `${pipes} SRTP Pipes of one node to nodes of one worker each, 300 packets/s of 1.1 kB, nobody watches`;
    return [
      taken('pipeSend', send, `${from}; less the same source without Pipes`),
      taken('pipeReceive', receive, from),
    ];
  } finally {
    for (const all of clusters) await all.close();
    await viewers.close();
  }
}

export const pipe: Measurement = { names: ['pipeSend', 'pipeReceive'], run };
