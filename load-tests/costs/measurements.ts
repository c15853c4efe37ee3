/** All measurements of unit costs, those that need quiet first. */
import { batching } from './batching.ts';
import { busy } from './busy.ts';
import { forward } from '../bench/forward.ts';
import { pipeHop } from '../bench/pipe-hop.ts';
import { socket } from '../bench/socket.ts';
import { group } from './group.ts';
import { fromBench, type Measurement } from './measure.ts';
import { people } from './people.ts';
import { pipe } from './pipe.ts';
import { planning } from './planning.ts';

export const MEASUREMENTS: Readonly<Record<string, Measurement>> = {
  forward: fromBench(forward, {
    packet: 'forwarded packet, cluster node',
    packetBare: 'forwarded packet, bare mediasoup',
  }),
  batching,
  busy,
  pipe,
  'pipe-hop': fromBench(pipeHop, { pipeHop: 'Pipe hop, added' }),
  people,
  socket: fromBench(socket, { socket: 'a joined socket, resident' }),
  group,
  planning,
};
